//! Who ends a connection, and whether the mock notices.

use std::{sync::Arc, time::Duration};

use clock::{Lab, Timestamp};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::observe::chat;
use crate::{How, MockDeepSeek, Script, StartError};

pub(super) fn in_lab<F: Future>(run: impl FnOnce(Lab) -> F) -> F::Output {
    let (runtime, lab) = Lab::new(Timestamp::from_second(1_790_000_000).unwrap()).unwrap();
    runtime.block_on(run(lab))
}

async fn start(lab: &Lab) -> MockDeepSeek {
    let clock = Arc::new(lab.clock().clone());
    MockDeepSeek::builder().clock(clock).activity(lab.activity().clone()).start().await.unwrap()
}

async fn ask(lab: &Lab, mock: &MockDeepSeek, headers: &str) -> clock::Metered {
    let stream = TcpStream::connect(mock.address()).await.unwrap();
    let mut stream = lab.activity().metered(stream).unwrap();
    stream.write_all(chat(r#","stream":true"#, headers).as_bytes()).await.unwrap();
    stream
}

#[test]
fn a_client_that_hangs_up_is_seen_at_once_while_the_mock_is_silent() {
    in_lab(|lab| async move {
        let mock = start(&lab).await;
        let client = ask(&lab, &mock, "x-mock-fault: accept-no-answer\r\n").await;
        lab.advance(Duration::from_secs(8)).await.unwrap();
        assert_eq!(mock.journal()[0].end, None);

        drop(client);
        lab.settled().await.unwrap();

        let end = mock.journal()[0].end.unwrap();
        assert_eq!((end.how, end.at.since_origin()), (How::ClientHungUp, Duration::from_secs(8)));
    });
}

#[test]
fn what_a_client_did_not_take_before_it_left_did_not_happen() {
    in_lab(|lab| async move {
        let mock = start(&lab).await;
        let request = chat(r#","stream":true"#, "x-mock-fault: huge-line;bytes=16000000, eof-no-done\r\n");
        // Not metered: bytes that lie unread for good would count as under way.
        let mut client = TcpStream::connect(mock.address()).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        lab.settled().await.unwrap();

        drop(client);
        lab.settled().await.unwrap();

        let exchange = &mock.journal()[0];
        assert_eq!(exchange.end.unwrap().how, How::ClientHungUp);
        assert!((1..16_000_000).contains(&exchange.written), "{}", exchange.written);
        assert!(exchange.faults.iter().all(|fault| !fault.fired), "{:?}", exchange.faults);
    });
}

#[test]
fn stopping_closes_what_is_open() {
    in_lab(|lab| async move {
        let mock = start(&lab).await;
        let _client = ask(&lab, &mock, "x-mock-fault: accept-no-answer\r\n").await;
        lab.settled().await.unwrap();
        let address = mock.address();

        mock.stop().await;

        assert!(TcpStream::connect(address).await.is_err());
    });
}

#[tokio::test]
async fn a_taken_port_is_named_with_a_way_out() {
    let first = MockDeepSeek::start().await.unwrap();

    let error = MockDeepSeek::builder().address(first.address()).start().await.unwrap_err();

    assert!(matches!(error, StartError::Taken(address) if address == first.address()));
    assert!(error.to_string().ends_with("stop what listens there, or choose port 0 for a free one"));
}

#[tokio::test]
async fn an_expectation_that_is_not_met_names_what_arrived_m11() {
    let mock = MockDeepSeek::start().await.unwrap();
    mock.expect(2);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = r#"{"model":"deepseek-flash","messages":[{"role":"user","content":"x"}]}"#;
    let request = client.post(mock.url() + "/chat/completions").bearer_auth("sk-a").body(body);
    assert_eq!(request.send().await.unwrap().status(), 200);

    let message = mock.verify().unwrap_err().to_string();

    mock.expect(1);
    assert!(message.starts_with("mock expected 2 chat requests and got 1\n  request 1 at "), "{message}");
    assert!(message.ends_with("POST /chat/completions, model `deepseek-flash`"), "{message}");
}

#[tokio::test]
#[should_panic(expected = "mock expected 1 chat requests and got 0")]
async fn an_expectation_is_verified_on_drop_m12() {
    MockDeepSeek::start().await.unwrap().expect(1);
}

#[tokio::test]
async fn a_real_client_streams_through_every_legitimate_fault() {
    let mock = MockDeepSeek::builder().script(Script::default()).start().await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let slow = [
        "blank-lines-before-json",
        "proxy-burst",
        "slow-first-token",
        "socket-open-after-done",
        "sse-keepalive-comments",
        "undici-300s",
    ];
    // These need a client that asks a second time, or a rule that holds once.
    let unkept = ["redirect-307", "stale-keepalive-reuse"];
    let body = r#"{"model":"deepseek-flash","stream":true,"messages":[{"role":"user","content":"x"}]}"#;
    let legitimate = crate::catalogue().iter().filter(|info| info.kind == crate::FaultKind::Legitimate);

    for info in legitimate.filter(|info| !slow.contains(&info.id) && !unkept.contains(&info.id)) {
        let request = client.post(mock.url() + "/v1/chat/completions").bearer_auth("sk-a").body(body);
        let text = request.header("x-mock-fault", info.id).send().await.unwrap().text().await.unwrap();
        assert!(text.contains(r#""finish_reason":"stop""#), "{}", info.id);
    }
}

#[tokio::test]
async fn a_real_client_follows_a_redirect_with_its_question_m4() {
    let once = "[[rules]]\ntimes = 1\nfaults = [\"redirect-307\"]\n";
    let script = Script::from_toml(once).unwrap();
    let mock = MockDeepSeek::builder().script(script).start().await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();

    let body = r#"{"model":"deepseek-flash","messages":[{"role":"user","content":"x"}]}"#;
    let request = client.post(mock.url() + "/v1/chat/completions").bearer_auth("sk-a").body(body);
    let status = request.header("content-type", "application/json").send().await.unwrap().status();

    let paths: Vec<_> = mock.journal().into_iter().map(|exchange| exchange.path).collect();
    assert_eq!(status, 200);
    assert_eq!(paths, ["/v1/chat/completions", "/v1/chat/completions?redirected=1"]);
}
