//! The mock as a part of a program: its port, its clock and its seed.

use std::sync::Arc;

use clock::{ManualClock, Timestamp};
use serde_json::{Value, json};

use crate::MockDeepSeek;

async fn ask(mock: &MockDeepSeek) -> Value {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = json!({"model": "deepseek-flash", "messages": [{"role": "user", "content": "which week?"}]});
    let url = mock.url() + "/chat/completions";
    client.post(url).bearer_auth("sk-test").json(&body).send().await.unwrap().json().await.unwrap()
}

async fn seeded(seed: u64) -> Vec<Value> {
    let mock = MockDeepSeek::builder().seed(seed).start().await.unwrap();
    let mut answers = Vec::new();
    for _ in 0..3 {
        let mut answer = ask(&mock).await;
        // The clock is the system's here.
        answer["created"] = Value::Null;
        answers.push(answer);
    }
    answers
}

#[tokio::test]
async fn each_mock_has_a_port_and_a_journal_of_its_own_m12() {
    let (one, other) = (MockDeepSeek::start().await.unwrap(), MockDeepSeek::start().await.unwrap());

    ask(&one).await;

    assert_ne!(one.address().port(), other.address().port());
    assert_eq!((one.requests(), other.requests()), (1, 0));
}

#[tokio::test]
async fn the_same_seed_gives_the_same_answers_and_another_seed_others_m12() {
    let (first, again, other) = (seeded(7).await, seeded(7).await, seeded(8).await);

    assert_eq!(first, again);
    assert!(first.iter().zip(&other).all(|(one, other)| one["id"] != other["id"]), "{first:?} {other:?}");
    assert_ne!(first[0]["id"], first[1]["id"]);
}

#[tokio::test]
async fn an_answer_is_as_old_as_the_clock_that_was_given_says_m12() {
    let then: Timestamp = "2026-02-28T23:59:59Z".parse().unwrap();
    let mock = MockDeepSeek::builder().clock(Arc::new(ManualClock::new(then))).start().await.unwrap();

    assert_eq!(ask(&mock).await["created"], json!(then.as_second()));
}
