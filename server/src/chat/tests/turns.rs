//! Turns that go well.

use super::rig::{Act, answer, brief, until, with_rig};

#[test]
fn a_question_is_answered_piece_by_piece_and_stored() {
    with_rig(
        |_| {},
        async |rig| {
            rig.upstream.script(vec![Act::Head, Act::Text("Yes"), Act::Text(", enjoy"), Act::Finish]);
            let mut client = rig.connect().await;

            client.say("can I eat cheese?").await;
            let frames = client.turn().await;

            assert_eq!(frames.iter().filter_map(|f| f["content"].as_str()).collect::<String>(), "Yes, enjoy");
            assert_eq!(frames.last().unwrap()["finish"], "answered");
            assert_eq!(rig.stored().await, ["Said: can I eat cheese?", "Answer: Yes, enjoy"]);
        },
    );
}

#[test]
fn the_provider_knows_a_user_by_one_hash_in_all_turns_f110() {
    with_rig(
        |config| config.llm.user_id_key = "0123456789abcdef".into(),
        async |rig| {
            let mut client = rig.connect().await;
            for text in ["can I eat cheese?", "and figs?"] {
                rig.upstream.script(answer("Yes"));
                client.say(text).await;
                client.turn().await;
            }

            let ids: Vec<_> = rig.upstream.requests().iter().map(|body| body["user_id"].clone()).collect();
            let own = crate::llm::pseudonym(&rig.hub.parts.config.llm, rig.user.id).unwrap();
            assert_eq!(ids, [own.as_str(), own.as_str()]);
            assert!(!own.contains(&rig.user.id.to_string()));
        },
    );
}

#[test]
fn small_talk_is_neither_stored_nor_sent_to_the_model() {
    with_rig(
        |_| {},
        async |rig| {
            let mut client = rig.connect().await;

            for text in ["hello", "hola", "merci"] {
                client.say(text).await;
                assert_eq!(brief(&client.turn().await), "canned done:canned");
            }

            assert_eq!(rig.upstream.requests().len(), 0);
            assert!(rig.stored().await.is_empty());
        },
    );
}

#[test]
fn the_second_prompt_holds_the_first_turn_once_and_masked() {
    with_rig(
        |_| {},
        async |rig| {
            rig.upstream.script(answer("Fine"));
            rig.upstream.script(answer("Good"));
            let mut client = rig.connect().await;
            client.say("I am 22 weeks pregnant, mail me at ann@example.com").await;
            client.turn().await;

            client.say("what can I eat now?").await;
            client.turn().await;

            let prompt = rig.upstream.requests()[1]["messages"].clone();
            let texts: Vec<_> =
                prompt.as_array().unwrap().iter().map(|m| m["content"].as_str().unwrap()).collect();
            assert!(texts[0].contains("- pregnancy_week: 22"), "{}", texts[0]);
            assert_eq!(
                texts[1..],
                ["I am 22 weeks pregnant, mail me at <email>", "Fine", "what can I eat now?"]
            );
        },
    );
}

#[test]
fn the_first_twelve_messages_leave_the_last_ten_in_the_prompt() {
    with_rig(
        |config| config.limits.messages.burst = 100.try_into().unwrap(),
        async |rig| {
            let mut client = rig.connect().await;
            for n in 1..=7 {
                rig.upstream.script(answer("ok"));
                client.say(&format!("question {n} about the baby")).await;
                client.turn().await;
            }

            let prompt = rig.upstream.requests()[6]["messages"].clone();

            let prompt = prompt.as_array().unwrap();
            assert_eq!(prompt.len(), 1 + 10 + 1);
            assert_eq!(prompt[1]["content"], "question 2 about the baby");
            assert_eq!(prompt[11]["content"], "question 7 about the baby");
        },
    );
}

#[test]
fn more_than_an_hour_of_silence_begins_a_new_session_and_keeps_the_facts() {
    let silent = |config: &mut crate::Config| config.http.ping_interval = std::time::Duration::from_hours(25);
    with_rig(silent, async |rig| {
        (0..3).for_each(|_| rig.upstream.script(answer("ok")));
        let mut client = rig.connect().await;
        client.say("I am vegan and pregnant").await;
        let first = client.turn().await.pop().unwrap();
        rig.advance(3600.0).await;
        client.say("what about iron in my diet").await;
        let second = client.turn().await.pop().unwrap();

        rig.advance(3600.1).await;
        client.say("what about my baby").await;
        let third = client.turn().await.pop().unwrap();

        assert_eq!(first["session"], second["session"]);
        assert_ne!(second["session"], third["session"]);
        let prompt = rig.upstream.requests()[2]["messages"].clone();
        assert_eq!(prompt.as_array().unwrap().len(), 2);
        assert!(prompt[0]["content"].as_str().unwrap().contains("diet_preference: vegan"));
    });
}

#[test]
fn an_emergency_behind_a_greeting_is_answered_first_and_suggests_nothing() {
    with_rig(
        |_| {},
        async |rig| {
            rig.upstream.script(answer("Call"));
            let mut client = rig.connect().await;

            client.say("Hi, I am bleeding").await;

            let frames = client.turn().await;
            assert_eq!(brief(&frames), "safety Call done:answered");
            assert_eq!(frames[0]["action"], "emergency");
            assert!(
                rig.storage.pending_suggestions(rig.user.id, jiff::Timestamp::MIN).await.unwrap().is_empty()
            );
        },
    );
}

#[test]
fn a_symptom_is_offered_a_calendar_entry_that_is_stored_under_the_same_id() {
    with_rig(
        |_| {},
        async |rig| {
            (0..2).for_each(|_| rig.upstream.script(answer("Rest")));
            let mut client = rig.connect().await;

            client.say("my back hurts").await;
            let first = client.turn().await;
            client.say("my back still hurts").await;
            let second = client.turn().await;

            assert_eq!(brief(&first), "calendar Rest done:answered");
            assert_eq!(brief(&second), "Rest done:answered", "one of the type is still pending");
            let now = clock::Clock::wall(rig.lab.clock());
            let pending = rig.storage.pending_suggestions(rig.user.id, now).await.unwrap();
            assert_eq!(first[0]["data"]["id"], pending[0].id.to_string());
            assert_eq!(first[0]["data"]["type"], "symptom_followup");
        },
    );
}

#[test]
fn of_a_hundred_messages_at_once_ten_are_handled_and_ninety_refused_in_order() {
    with_rig(
        |_| {},
        async |rig| {
            (0..10).for_each(|_| rig.upstream.script(answer("ok")));
            let mut client = rig.connect().await;
            for n in 0..100 {
                client.say(&format!("question {n} about the baby")).await;
            }

            let mut ends = Vec::new();
            for _ in 0..100 {
                ends.push(client.turn().await.pop().unwrap());
            }

            let of = |kind: &str| -> Vec<u64> {
                ends.iter().filter(|e| e["type"] == kind).map(|e| e["turn"].as_u64().unwrap()).collect()
            };
            assert_eq!(of("done"), (1..=10).collect::<Vec<_>>());
            assert_eq!(of("error"), (11..=100).collect::<Vec<_>>());
            assert!(ends.iter().all(|e| e["type"] != "error" || e["code"] == "rate_limited"));
            assert_eq!(rig.upstream.requests().len(), 10);
        },
    );
}

#[test]
fn a_refused_message_with_a_sign_of_an_emergency_still_gets_its_safety_text() {
    with_rig(
        |config| config.limits.messages.burst = 1.try_into().unwrap(),
        async |rig| {
            rig.upstream.script(answer("ok"));
            let mut client = rig.connect().await;
            client.say("what can I eat?").await;
            client.turn().await;

            client.say("I am bleeding").await;

            assert_eq!(brief(&client.turn().await), "safety error:rate_limited");
        },
    );
}

#[test]
fn turns_of_two_sockets_of_one_user_follow_each_other() {
    with_rig(
        |_| {},
        async |rig| {
            rig.upstream.script(vec![
                Act::Head,
                Act::Text("a"),
                Act::Pause(std::time::Duration::from_secs(2)),
                Act::Finish,
            ]);
            rig.upstream.script(answer("b"));
            let (mut one, mut two) = (rig.connect().await, rig.connect().await);
            one.say("what can I eat?").await;
            one.frame().await;

            two.say("and what can I drink?").await;
            rig.lab.settled().await.unwrap();
            assert_eq!(rig.upstream.requests().len(), 1);
            rig.advance(2.0).await;

            assert_eq!(brief(&one.turn().await), "done:answered");
            assert_eq!(brief(&two.turn().await), "b done:answered");
            until(|| rig.hub.turns.len() == 0).await;
        },
    );
}

#[test]
fn the_end_of_a_conversation_is_a_command_and_a_phrase_and_a_call() {
    with_rig(
        |_| {},
        async |rig| {
            (0..4).for_each(|_| rig.upstream.script(answer("ok")));
            let mut client = rig.connect().await;
            let mut sessions = Vec::new();
            for end in ["command", "phrase", "call", "none"] {
                client.say("what can I eat?").await;
                sessions.push(client.turn().await.pop().unwrap()["session"].clone());
                match end {
                    "command" => client.raw(r#"{"type":"end_conversation"}"#).await,
                    "phrase" => client.say("terminar la conversación").await,
                    "call" => assert!(rig.hub.end_session(rig.user.id).await.unwrap().is_some()),
                    _ => continue,
                }
                if end != "call" {
                    assert_eq!(brief(&client.turn().await), "notice done:ended");
                }
            }

            sessions.dedup();
            assert_eq!(sessions.len(), 4);
            assert!(rig.hub.end_session(rig.user.id).await.unwrap().is_some());
            assert!(rig.hub.end_session(rig.user.id).await.unwrap().is_none());
        },
    );
}

#[test]
fn a_reply_belongs_to_the_session_of_its_question_even_if_that_ends_meanwhile() {
    with_rig(
        |_| {},
        async |rig| {
            rig.upstream.script(vec![
                Act::Head,
                Act::Text("a"),
                Act::Pause(std::time::Duration::from_secs(2)),
                Act::Finish,
            ]);
            rig.upstream.script(answer("b"));
            let mut client = rig.connect().await;
            client.say("what can I eat?").await;
            client.frame().await;

            let old = rig.hub.end_session(rig.user.id).await.unwrap().unwrap();
            rig.advance(2.0).await;
            let done = client.turn().await.pop().unwrap();
            client.say("what can I drink?").await;
            let next = client.turn().await.pop().unwrap();

            assert_eq!(done["session"], old.to_string());
            assert_ne!(next["session"], old.to_string());
            assert_eq!(rig.stored().await[..2], ["Said: what can I eat?", "Answer: a"]);
        },
    );
}
