//! Ends that come in the middle of something: the server's, the client's, the store's.

use std::time::Duration;

use clock::Clock;
use futures_util::FutureExt;
use tokio_tungstenite::tungstenite::protocol::frame::{
    Frame,
    coding::{Data, OpCode},
};

use super::rig::{Act, answer, brief, status, until, with_rig};
use crate::{Config, deadline::Deadline};

fn pause(seconds: u64) -> Act {
    Act::Pause(Duration::from_secs(seconds))
}

#[test]
fn a_reply_longer_than_the_drain_is_stored_as_far_as_it_was_shown_before_goodbye_is_said() {
    with_rig(
        |config| config.http.drain = Duration::from_secs(1),
        async |rig| {
            rig.upstream.script(vec![Act::Head, Act::Text("Half"), pause(9), Act::Finish]);
            let mut client = rig.connect().await;
            client.say("I am 20 weeks, can I fly?").await;
            client.frame().await;
            let hub = rig.hub.clone();
            let draining = tokio::spawn(async move { hub.drain().await });
            rig.lab.settled().await.unwrap();

            rig.advance(1.0).await;

            assert_eq!(client.close_code().await, Some(1001));
            assert_eq!(rig.stored().await, ["Said: I am 20 weeks, can I fly?", "Interrupted: Half"]);
            let now = rig.lab.clock().wall();
            assert!(rig.storage.fact(rig.user.id, "pregnancy_week", now).await.unwrap().is_some());
            drop(client);
            draining.await.unwrap();
        },
    );
}

#[test]
fn a_stopping_server_waits_for_what_was_shown_to_be_stored() {
    with_rig(
        |config| {
            config.http.drain = Duration::from_secs(1);
            config.auth.secret = "s".repeat(32).into();
        },
        async |mut rig| {
            rig.upstream.script(vec![Act::Head, Act::Text("Half"), pause(9), Act::Finish]);
            let (mut client, stop, running) = rig.whole_server().await;
            client.say("can I fly while pregnant?").await;
            client.frame().await;
            drop(stop);
            rig.lab.settled().await.unwrap();

            rig.advance(1.0).await;

            assert_eq!(client.close_code().await, Some(1001));
            drop(client);
            running.await.unwrap();
            assert_eq!(rig.stored().await[1], "Interrupted: Half");
        },
    );
}

#[test]
fn an_abort_is_not_held_up_by_a_store_that_does_not_answer() {
    with_rig(
        |config| config.http.drain = Duration::from_secs(1),
        async |rig| {
            rig.upstream.script(vec![Act::Head, Act::Text("Half"), pause(9), Act::Finish]);
            let mut client = rig.connect().await;
            client.say("can I fly while pregnant?").await;
            client.frame().await;
            let mut database = rig.database().await;
            sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut database).await.unwrap();
            let hub = rig.hub.clone();
            let draining = tokio::spawn(async move { hub.drain().await });
            rig.lab.settled().await.unwrap();

            rig.advance(1.0).await;
            rig.advance(2.0).await;

            assert_eq!(client.close_code().await, Some(1001));
            drop(client);
            draining.await.unwrap();
        },
    );
}

#[test]
fn what_was_shown_is_stored_also_when_the_notice_cannot_be_sent() {
    with_rig(
        |_| {},
        async |rig| {
            rig.upstream.script(vec![Act::Head, Act::Text("a"), pause(1), Act::Text("b"), pause(1)]);
            let mut client = rig.connect().await;
            client.say("can I fly while pregnant?").await;
            client.frame().await;
            // A draining connection is not read from, so that only the send can fail.
            let hub = rig.hub.clone();
            let draining = tokio::spawn(async move { hub.drain().await });
            rig.lab.settled().await.unwrap();
            rig.advance(1.0).await;
            drop(client);

            rig.advance(1.0).await;

            draining.await.unwrap();
            assert_eq!(rig.stored().await[1], "Interrupted: ab");
        },
    );
}

#[test]
fn a_locked_table_ends_the_turn_in_time_and_frees_the_line() {
    let patient = |config: &mut Config| config.http.ping_interval = Duration::from_hours(1);
    with_rig(patient, async |rig| {
        let mut database = rig.database().await;
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut database).await.unwrap();
        let mut client = rig.connect().await;
        client.say("can I fly while pregnant?").await;
        rig.lab.settled().await.unwrap();
        until(|| rig.hub.turns.len() == 1).await;
        rig.upstream.script(answer("Perhaps"));

        rig.advance(2.0).await;

        let frames = client.turn().await;
        assert_eq!(brief(&frames), "Perhaps notice done:answered");
        assert_eq!(frames.last().unwrap()["code"], "not_stored");
        assert_eq!(rig.hub.turns.len(), 0);
        sqlx::raw_sql("ROLLBACK").execute(&mut database).await.unwrap();
        rig.upstream.script(answer("Yes"));
        client.say("can I fly while pregnant?").await;
        assert_eq!(brief(&client.turn().await), "Yes done:answered");
    });
}

#[test]
fn a_reply_that_the_store_does_not_take_is_told_so_when_its_patience_is_over() {
    with_rig(
        |_| {},
        async |rig| {
            rig.upstream.script(vec![Act::Head, Act::Text("Yes"), pause(1), Act::Finish]);
            let mut client = rig.connect().await;
            client.say("can I fly while pregnant?").await;
            client.frame().await;
            let mut database = rig.database().await;
            sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut database).await.unwrap();

            rig.advance(1.0).await;
            rig.advance(2.0).await;

            assert_eq!(brief(&client.turn().await), "error:not_stored");
        },
    );
}

#[test]
fn a_safety_text_that_cannot_be_stored_does_not_undo_the_question() {
    with_rig(
        |_| {},
        async |rig| {
            let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON messages WHEN NEW.kind = 'safety'
                BEGIN SELECT RAISE(ABORT, 'refused'); END";
            sqlx::raw_sql(refuse).execute(&mut rig.database().await).await.unwrap();
            rig.upstream.script(answer("Call"));
            let mut client = rig.connect().await;

            client.say("I am bleeding").await;

            assert_eq!(brief(&client.turn().await), "safety Call done:answered");
            assert_eq!(rig.stored().await, ["Said: I am bleeding", "Answer: Call"]);
        },
    );
}

#[test]
fn a_client_that_says_goodbye_is_answered() {
    with_rig(
        |_| {},
        async |rig| {
            let mut client = rig.connect().await;

            client.goodbye().await;

            assert_eq!(client.close_code().await, Some(1000));
        },
    );
}

#[test]
fn a_client_that_floods_with_pongs_gets_its_answer_all_the_same() {
    with_rig(
        |_| {},
        async |rig| {
            rig.upstream.script(answer("Yes"));
            let mut client = rig.connect().await;
            client.say("can I fly while pregnant?").await;

            let frame = client.frame_under_flood().await;

            assert_eq!(frame["content"], "Yes");
        },
    );
}

#[test]
fn frames_that_break_the_protocol_close_with_the_code_that_says_how() {
    let mut reserved = Frame::message(r#"{"content":"hi"}"#, OpCode::Data(Data::Text), true);
    reserved.header_mut().rsv1 = true;
    let not_utf8 = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    let not_text = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Binary), true);
    let too_big = Frame::message("x".repeat(70_000), OpCode::Data(Data::Text), true);
    for (frame, code) in [(reserved, 1002), (not_text, 1003), (not_utf8, 1007), (too_big, 1009)] {
        with_rig(
            |_| {},
            async |rig| {
                let mut client = rig.connect().await;

                client.wrong(frame).await;

                assert_eq!(client.close_code().await, Some(code));
            },
        );
    }
}

#[test]
fn unreadable_frames_cost_as_much_as_messages() {
    with_rig(
        |config| config.limits.messages.burst = 2.try_into().unwrap(),
        async |rig| {
            let mut client = rig.connect().await;

            let mut codes = Vec::new();
            for _ in 0..3 {
                client.raw("hi").await;
                codes.push(client.frame().await);
            }

            assert_eq!(brief(&codes), "error:bad_request error:bad_request error:rate_limited");
            assert_eq!(codes[2]["retry_after_ms"], 6000);
            client.say("hello").await;
            assert_eq!(brief(&client.turn().await), "error:rate_limited");
        },
    );
}

#[test]
fn a_turn_that_hangs_on_the_outcome_of_a_probe_names_no_time() {
    let quick = |config: &mut Config| {
        config.llm.retries = 0;
        config.llm.breaker.failures = 1;
        config.http.ping_interval = Duration::from_hours(1);
    };
    with_rig(quick, async |rig| {
        rig.upstream.script(status("500 Internal Server Error"));
        let mut client = rig.connect().await;
        client.say("can I fly while pregnant?").await;
        assert_eq!(brief(&client.turn().await), "fallback done:fallback");
        rig.advance(300.0).await;
        rig.upstream.script(vec![Act::Hold]);
        let deadline = Deadline::new(rig.lab.clock().now(), &rig.hub.parts.config.llm);
        let (text, _pieces) = tokio::sync::mpsc::channel(1);
        let meter = crate::llm::Meter::default();
        let question = crate::llm::Question {
            prompt: &[],
            user_id: None,
            meter: &meter,
            deadline: &deadline,
            text: &text,
        };
        let mut probe = Box::pin(rig.hub.model.answer(question, false));
        assert!(probe.as_mut().now_or_never().is_none());

        client.say("can I fly while pregnant?").await;
        let frames = client.turn().await;

        assert_eq!(brief(&frames), "fallback done:fallback");
        assert!(frames[1].get("retry_after_ms").is_none());
    });
}
