//! The clock, and a stop that takes its time.

use std::time::Duration;

use axum::http::Method;
use clock::{Lab, Timestamp};
use serde_json::json;
use tokio::net::TcpStream;

use super::Stage;
use crate::MockDeepSeek;

#[test]
fn a_clock_that_stands_still_is_advanced_from_sleeper_to_sleeper_m11() {
    let (runtime, lab) = Lab::new(Timestamp::from_second(1_790_000_000).unwrap()).unwrap();
    runtime.block_on(async {
        let stage = Stage::with(MockDeepSeek::builder().lab(&lab)).await;
        assert_eq!(stage.call(Method::PUT, "/__mock/fault", "slow-first-token;lasts=8s").await.0, 200);
        let (asked, moved) = tokio::join!(stage.ask("hi"), async {
            // The request must be there before time moves.
            while stage.get("/__mock/journal").await.1["exchanges"].as_array().unwrap().is_empty() {}
            stage.call(Method::POST, "/__mock/clock", r#"{"advance": "10s"}"#).await
        });

        assert_eq!((asked.as_u16(), moved.0), (200, 200));
        assert_eq!(moved.1["now_ms"], 10_000.0);
        assert_eq!(stage.get("/__mock/journal/1").await.1["ms"], 8_000.0);
        let refused = stage.call(Method::POST, "/__mock/clock", r#"{"advance": "25h"}"#).await;
        assert_eq!((refused.0, &refused.1["error"]["code"]), (422, &json!("bad_advance")));
    });
}

#[tokio::test]
async fn the_clock_of_the_system_cannot_be_advanced_m11() {
    let stage = Stage::new().await;

    let (status, refusal) = stage.call(Method::POST, "/__mock/clock", r#"{"advance": "8s"}"#).await;

    assert_eq!((status, &refusal["error"]["code"]), (409, &json!("clock_moves_by_itself")));
    assert_eq!(stage.get("/__mock/clock").await.1["clock"], "system");
}

#[test]
fn stopping_in_order_lets_an_answer_end_and_cuts_what_takes_too_long_m16() {
    for (within, cut) in [(Duration::from_secs(20), 0), (Duration::from_secs(2), 1)] {
        let (runtime, lab) = Lab::new(Timestamp::from_second(1_790_000_000).unwrap()).unwrap();
        runtime.block_on(async {
            let stage = Stage::with(MockDeepSeek::builder().lab(&lab)).await;
            assert_eq!(stage.call(Method::PUT, "/__mock/fault", "slow-first-token;lasts=8s").await.0, 200);
            let Stage { mock, client, .. } = stage;
            let url = format!("{}/chat/completions", mock.url());
            let body = json!({"model": "deepseek-flash", "messages": [{"role": "user", "content": "hi"}]});
            let asked = tokio::spawn(async move {
                let answer = client.post(url).bearer_auth("sk-test").json(&body).send().await.unwrap();
                // The head comes at once; whether the answer ends is told by its body.
                answer.bytes().await.is_ok()
            });
            while mock.journal().is_empty() {
                tokio::task::yield_now().await;
            }
            let address = mock.address();
            let stopped = tokio::spawn(mock.finish(within));
            lab.settled().await.unwrap();
            assert!(TcpStream::connect(address).await.is_err(), "a connection was accepted");
            lab.advance(Duration::from_secs(10)).await.unwrap();

            assert_eq!(stopped.await.unwrap(), cut);
            assert_eq!(asked.await.unwrap(), cut == 0);
        });
    }
}
