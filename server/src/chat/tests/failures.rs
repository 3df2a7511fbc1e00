//! Turns, sockets and servers that do not go well.

use std::time::Duration;

use super::rig::{Act, Rig, answer, brief, status, until, with_rig};
use crate::storage::FactSource;

/// Longer than a test's client goes without reading.
const HOURS: Duration = Duration::from_hours(24);

fn pause(seconds: u64) -> Act {
    Act::Pause(Duration::from_secs(seconds))
}

#[test]
fn a_drip_ends_at_thirty_seconds_sharp_and_closes_the_upstream() {
    with_rig(
        |_| {},
        async |rig| {
            let drip = (0..20).flat_map(|_| [Act::Text("x"), pause(5)]);
            rig.upstream.script([Act::Head].into_iter().chain(drip).collect());
            let mut client = rig.connect().await;
            client.say("how does my baby grow?").await;
            client.frame().await;

            rig.advance(29.999).await;
            assert_eq!(rig.upstream.closed(), 0);
            rig.advance(0.001).await;
            let frames = client.turn().await;

            assert_eq!(brief(&frames), "x x x x x notice done:interrupted");
            assert_eq!(rig.upstream.closed(), 1);
            assert_eq!(rig.stored().await[1], "Interrupted: xxxxxx");
        },
    );
}

#[test]
fn a_silent_model_is_left_at_the_limit_of_the_first_token_and_asked_once_more() {
    with_rig(
        |_| {},
        async |rig| {
            let alive = (0..9).flat_map(|_| [Act::Raw(": keep-alive\n\n".to_owned()), pause(1)]);
            rig.upstream.script([Act::Head].into_iter().chain(alive).collect());
            rig.upstream.script(vec![Act::Hold]);
            let mut client = rig.connect().await;
            client.say("how does my baby grow?").await;
            rig.asked(1).await;

            rig.advance(7.999).await;
            assert_eq!(rig.upstream.closed(), 0);
            rig.advance(0.3).await;
            assert_eq!((rig.upstream.closed(), rig.upstream.requests().len()), (1, 2));
            rig.advance(8.0).await;

            let frames = client.turn().await;
            assert_eq!(brief(&frames), "fallback done:fallback");
            assert!(frames[0]["content"].as_str().unwrap().contains("longer than usual"));
            assert!(rig.seconds() < 17.0);
        },
    );
}

#[test]
fn an_error_and_then_an_answer_is_an_answer() {
    with_rig(
        |_| {},
        async |rig| {
            rig.upstream.script(status("503 Service Unavailable"));
            rig.upstream.script(answer("Yes"));
            let mut client = rig.connect().await;
            client.say("can I fly while pregnant?").await;
            rig.asked(1).await;

            rig.advance(1.0).await;

            assert_eq!(brief(&client.turn().await), "Yes done:answered");
        },
    );
}

#[test]
fn whatever_is_no_answer_becomes_a_fallback_and_is_never_stored_as_an_answer() {
    let head = |kind: &str| format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n");
    let cases: [Vec<Act>; 8] = [
        vec![Act::Raw(head("text/html") + "<html>welcome</html>")],
        vec![Act::Raw(head("application/json") + r#"{"choices":[{"message":{"content":"x"}}]}"#)],
        vec![Act::Head],
        vec![Act::Head, Act::Finish],
        vec![Act::Head, Act::Raw("data: {\"error\":{\"type\":\"oops\"}}\n\n".to_owned())],
        vec![Act::Head, Act::Raw("data: {\n\n".repeat(4))],
        vec![Act::Head, Act::Raw(format!("data: {}\n\n", "x".repeat(1024 * 1024 + 1)))],
        status("402 Payment Required"),
    ];
    for (n, case) in cases.into_iter().enumerate() {
        with_rig(
            |config| config.llm.retries = 0,
            async |rig| {
                rig.upstream.script(case);
                let mut client = rig.connect().await;

                client.say("can I fly while pregnant?").await;

                assert_eq!(brief(&client.turn().await), "fallback done:fallback", "case {n}");
                let stored = rig.stored().await;
                assert!(stored.len() == 2 && stored[1].starts_with("Fallback: "), "case {n}: {stored:?}");
            },
        );
    }
}

#[test]
fn a_torso_is_shown_as_interrupted_and_kept_out_of_the_next_prompt() {
    with_rig(
        |_| {},
        async |rig| {
            rig.upstream.script(vec![Act::Head, Act::Text("You may")]);
            rig.upstream.script(answer("Yes"));
            let mut client = rig.connect().await;
            client.say("can I fly while pregnant?").await;

            assert_eq!(brief(&client.turn().await), "You may notice done:interrupted");
            client.say("can I fly while pregnant?").await;
            client.turn().await;

            assert!(!rig.upstream.requests()[1].to_string().contains("You may"));
        },
    );
}

async fn five_faults(rig: &Rig) -> super::rig::Client {
    let mut client = rig.connect().await;
    for _ in 0..5 {
        rig.upstream.script(status("500 Internal Server Error"));
        client.say("can I fly while pregnant?").await;
        assert_eq!(brief(&client.turn().await), "fallback done:fallback");
    }
    client
}

#[test]
fn five_faults_open_the_circuit_and_five_minutes_later_it_is_tried_again() {
    let quick = |config: &mut crate::Config| {
        config.llm.retries = 0;
        config.http.ping_interval = HOURS;
        config.limits.messages.burst = 100.try_into().unwrap();
    };
    with_rig(quick, async |rig| {
        let mut client = five_faults(&rig).await;
        client.say("my back hurts").await;
        let frames = client.turn().await;
        assert_eq!(brief(&frames), "calendar fallback done:fallback");
        assert_eq!(frames[1]["action"], "emergency");
        assert_eq!(frames[2]["retry_after_ms"], 300_000);
        assert_eq!(rig.upstream.requests().len(), 5);

        rig.advance(300.0).await;
        rig.upstream.script(answer("Yes"));
        client.say("can I fly while pregnant?").await;

        assert_eq!(brief(&client.turn().await), "Yes done:answered");
    });
}

#[test]
fn a_client_that_hangs_up_cancels_the_model_and_counts_as_no_failure() {
    let patient = |config: &mut crate::Config| config.limits.messages.burst = 100.try_into().unwrap();
    with_rig(patient, async |rig| {
        for n in 1..=6 {
            rig.upstream.script(vec![Act::Head, Act::Text("Half"), Act::Hold]);
            let mut client = rig.connect().await;
            client.say("I am 20 weeks, can I fly?").await;
            client.frame().await;
            drop(client);
            until(|| rig.upstream.closed() == n).await;
        }
        until(|| rig.hub.turns.len() == 0).await;
        rig.upstream.script(answer("Yes"));
        let mut client = rig.connect().await;

        client.say("can I fly while pregnant?").await;

        assert_eq!(brief(&client.turn().await), "Yes done:answered");
        assert_eq!(rig.stored().await[1], "Interrupted: Half");
        let now = clock::Clock::wall(rig.lab.clock());
        let week = rig.storage.fact(rig.user.id, "pregnancy_week", now).await.unwrap().unwrap();
        assert_eq!((week.value.as_str(), week.source), ("20", FactSource::Extracted));
    });
}

#[test]
fn frames_that_cannot_be_read_are_refused_and_the_socket_stays() {
    with_rig(
        |_| {},
        async |rig| {
            let mut client = rig.connect().await;

            for (frame, code) in
                [("hi", "bad_request"), ("[]", "bad_request"), (r#"{"type":"x"}"#, "unknown_type")]
            {
                client.raw(frame).await;
                assert_eq!(client.frame().await["code"], code);
            }
            client.say(&"x".repeat(4001)).await;
            assert_eq!(client.frame().await["code"], "too_long");
            client.say("hello").await;

            assert_eq!(brief(&client.turn().await), "canned done:canned");
        },
    );
}

#[test]
fn a_frame_over_the_limit_closes_its_socket_with_the_code_for_that() {
    with_rig(
        |_| {},
        async |rig| {
            let mut client = rig.connect().await;

            client.say(&"x".repeat(70_000)).await;

            assert_eq!(client.close_code().await, Some(1009));
        },
    );
}

#[test]
fn a_peer_that_does_not_answer_pings_is_closed() {
    with_rig(
        |_| {},
        async |rig| {
            let mut client = rig.connect().await;
            client.say("hello").await;
            client.turn().await;

            // Nobody reads here, so that nothing answers the ping.
            rig.advance(25.0 + 8.0).await;

            assert_eq!(client.close_code().await, Some(4004));
        },
    );
}

#[test]
fn a_draining_server_ends_the_running_turn_and_closes() {
    with_rig(
        |_| {},
        async |rig| {
            rig.upstream.script(vec![Act::Head, Act::Text("a"), pause(2), Act::Finish]);
            let (mut busy, mut idle) = (rig.connect().await, rig.connect().await);
            busy.say("what can I eat?").await;
            busy.frame().await;
            let hub = rig.hub.clone();
            let draining = tokio::spawn(async move { hub.drain().await });
            assert_eq!(idle.close_code().await, Some(1001));

            rig.advance(2.0).await;

            assert_eq!(brief(&busy.turn().await), "done:answered");
            assert_eq!(busy.close_code().await, Some(1001));
            drop((busy, idle));
            draining.await.unwrap();
        },
    );
}

#[test]
fn a_model_that_cannot_be_reached_is_a_fallback() {
    let nowhere = |config: &mut crate::Config| {
        config.llm.retries = 0;
        config.llm.base_url = "http://127.0.0.1:1".to_owned();
    };
    with_rig(nowhere, async |rig| {
        let mut client = rig.connect().await;

        client.say("can I fly while pregnant?").await;

        assert_eq!(brief(&client.turn().await), "fallback done:fallback");
    });
}

#[test]
fn a_total_outage_costs_hardly_more_calls_than_turns() {
    let patient = |config: &mut crate::Config| {
        config.limits.messages.burst = 100.try_into().unwrap();
        config.llm.breaker.failures = 1000;
        config.http.ping_interval = HOURS;
    };
    with_rig(patient, async |rig| {
        (0..40).for_each(|_| rig.upstream.script(status("503 Service Unavailable")));
        let mut client = rig.connect().await;
        for _ in 0..20 {
            let calls = rig.upstream.requests().len();
            client.say("can I fly while pregnant?").await;
            rig.asked(calls + 1).await;
            rig.advance(0.3).await;
            client.turn().await;
        }

        let floor = rig.seconds().ceil();

        let calls = rig.upstream.requests().len();
        assert!(f64::from(u32::try_from(calls).unwrap()) <= 1.2 * 20.0 + floor, "{calls} calls");
    });
}

#[test]
fn a_model_that_wants_fewer_calls_is_left_alone_for_the_time_it_names() {
    with_rig(
        |config| config.http.ping_interval = HOURS,
        async |rig| {
            let slow = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 20\r\ncontent-length: 0\r\n\r\n";
            rig.upstream.script(vec![Act::Raw(slow.to_owned())]);
            let mut client = rig.connect().await;
            for _ in 0..2 {
                client.say("can I fly while pregnant?").await;
                let frames = client.turn().await;
                assert_eq!(frames[1]["retry_after_ms"], 20_000);
            }
            assert_eq!(rig.upstream.requests().len(), 1);

            rig.upstream.script(answer("Yes"));
            rig.advance(20.0).await;
            client.say("can I fly while pregnant?").await;

            assert_eq!(brief(&client.turn().await), "Yes done:answered");
        },
    );
}

#[test]
fn an_upstream_that_stays_open_after_its_end_marker_is_left() {
    with_rig(
        |_| {},
        async |rig| {
            let open = vec![Act::Head, Act::Text("Yes"), Act::Finish, Act::Hold];
            rig.upstream.script(open);
            let mut client = rig.connect().await;

            client.say("can I fly while pregnant?").await;

            assert_eq!(brief(&client.turn().await), "Yes done:answered");
            until(|| rig.upstream.closed() == 1).await;
        },
    );
}

#[test]
fn a_message_that_waited_too_long_ends_in_time_and_the_model_is_not_blamed() {
    with_rig(
        |config| config.llm.retries = 0,
        async |rig| {
            let drip = (0..20).flat_map(|_| [Act::Text("x"), pause(5)]);
            rig.upstream.script([Act::Head].into_iter().chain(drip).collect());
            let (mut one, mut two) = (rig.connect().await, rig.connect().await);
            one.say("how does my baby grow?").await;
            one.frame().await;
            two.say("what can I eat?").await;
            rig.lab.settled().await.unwrap();

            rig.advance(30.0).await;

            assert_eq!(brief(&two.turn().await), "fallback done:fallback");
            assert_eq!(brief(&one.turn().await), "x x x x x notice done:interrupted");
            assert_eq!(rig.upstream.requests().len(), 1);
        },
    );
}
