//! What holds whatever carries a request: it is counted, bounded, and ends in order.

use std::time::Duration;

use bytes::Bytes;
use clock::{Activity, Lab, Metered, SystemClock};
use h2::client::SendRequest;
use http::Request;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

use super::{
    ends::in_lab,
    http2::{ask, begin},
    observe::{chat, script},
    secure::{connect, shake_hands, start},
};
use crate::{MockDeepSeek, Tls};

const STALL: &str = "stall;after_events=2;lasts=8s";

/// Begins to stop in order, and lets everything happen that needs no time.
async fn finish(lab: &Lab, mock: MockDeepSeek) -> JoinHandle<u64> {
    let finished = tokio::spawn(mock.finish(Duration::from_mins(1)));
    lab.settled().await.unwrap();
    finished
}

/// Stops in order, which must not take time.
async fn finish_at_once(mock: MockDeepSeek) {
    let finished = mock.finish(Duration::from_hours(1));
    let cut = clock::timeout(&SystemClock::new(), Duration::from_secs(20), finished).await;
    assert_eq!(cut.expect("somebody is waited for"), 0);
}

#[tokio::test]
async fn connections_that_wait_end_at_once_when_the_mock_stops_m16() {
    let mock = MockDeepSeek::start().await.unwrap();
    let connect = async || metered(TcpStream::connect(mock.address()).await.unwrap());
    let (mut fresh, mut used) = (connect().await, connect().await);
    let http2 = begin(connect().await).await;
    assert!(ask(&http2, "").await.1.is_none());
    used.write_all(chat("", "").as_bytes()).await.unwrap();
    let mut seen = vec![0; 16 * 1024];
    assert!(used.read(&mut seen).await.unwrap() > 0);

    finish_at_once(mock).await;

    assert_eq!(fresh.read_to_end(&mut seen).await.unwrap(), 0);
    assert!(used.read_to_end(&mut seen).await.is_ok() && http2.ready().await.is_err());
}

#[tokio::test]
async fn under_tls_those_who_wait_end_too_also_in_the_middle_of_the_handshake_m16() {
    let stage = Stage::new().await;
    let mut silent = stage.connect().await;
    let mut shaken = shake_hands(stage.connect().await, &stage.tls, &[]).await.unwrap();
    let mut chosen = shake_hands(stage.connect().await, &stage.tls, &[b"h2"]).await.unwrap();

    // The mock says first how it wants HTTP/2 to be; by then it has shaken hands with both.
    chosen.read_u8().await.unwrap();

    finish_at_once(stage.mock).await;

    let mut seen = Vec::new();
    assert_eq!(silent.read_to_end(&mut seen).await.unwrap(), 0);
    assert_eq!(shaken.read_to_end(&mut seen).await.unwrap(), 0, "with a goodbye");
    assert!(chosen.read_to_end(&mut seen).await.is_ok(), "with a goodbye");
}

#[test]
fn a_stream_of_http2_ends_and_no_other_begins_m16() {
    in_lab(|lab| async move {
        let mock = start(&lab, script(""), None).await;
        let client = begin(connect(&lab, &mock).await).await;
        let asked = tokio::spawn({
            let client = client.clone();
            async move { ask(&client, STALL).await }
        });
        lab.settled().await.unwrap();

        let finished = finish(&lab, mock).await;
        assert!(!finished.is_finished() && client.ready().await.is_err());
        lab.advance(Duration::from_secs(10)).await.unwrap();

        let (text, error) = asked.await.unwrap();
        assert!(error.is_none() && text.ends_with("data: [DONE]\n\n"), "{text}");
        assert_eq!(finished.await.unwrap(), 0);
    });
}

#[test]
fn a_request_behind_one_that_is_answered_comes_too_late_m16() {
    in_lab(|lab| async move {
        let mock = start(&lab, script(""), None).await;
        let mut stream = connect(&lab, &mock).await;
        let both =
            chat(r#","stream":true"#, &format!("x-mock-fault: {STALL}\r\n")) + &chat("", "x-behind: yes\r\n");
        stream.write_all(both.as_bytes()).await.unwrap();
        let read = tokio::spawn(async move {
            let mut seen = String::new();
            stream.read_to_string(&mut seen).await.map(|_| seen)
        });
        lab.settled().await.unwrap();

        let finished = finish(&lab, mock).await;
        lab.advance(Duration::from_secs(10)).await.unwrap();

        let seen = read.await.unwrap().unwrap();
        assert!(seen.contains("data: [DONE]"), "{seen}");
        assert_eq!((seen.matches("HTTP/1.1 200").count(), finished.await.unwrap()), (1, 0));
    });
}

fn metered(socket: TcpStream) -> Metered {
    Activity::unwatched().metered(socket).unwrap()
}

/// A mock with a control API, clients of HTTP/2 under TLS, and the counts.
struct Stage {
    mock: MockDeepSeek,
    tls: Tls,
}

impl Stage {
    async fn new() -> Self {
        let tls = Tls::own().unwrap();
        let builder = MockDeepSeek::builder().tls(tls.clone()).control(([127, 0, 0, 1], 0).into());
        Self { mock: builder.body_max(200).start().await.unwrap(), tls }
    }

    async fn connect(&self) -> Metered {
        metered(TcpStream::connect(self.mock.address()).await.unwrap())
    }

    async fn http2(&self) -> SendRequest<Bytes> {
        begin(shake_hands(self.connect().await, &self.tls, &[b"h2"]).await.unwrap()).await
    }

    /// Asserts that all these lines are in the metrics.
    async fn counts(&self, lines: &[&str]) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = self.mock.control_url().unwrap() + "/__mock/metrics";
        let text = client.get(url).send().await.unwrap().text().await.unwrap();
        for line in lines {
            assert!(text.lines().any(|shown| shown == *line), "{line} is not in\n{text}");
        }
    }
}

/// Asks for something on a stream of its own, and returns status and body.
async fn get(client: SendRequest<Bytes>, path: &str, body: &str) -> (u16, String) {
    let method = if body.is_empty() { "GET" } else { "POST" };
    let request = Request::builder().method(method).uri(format!("https://localhost:4010{path}"));
    let request = request.header("authorization", "Bearer sk-test").body(()).unwrap();
    let mut client = client.ready().await.unwrap();
    let (response, mut sender) = client.send_request(request, false).unwrap();
    sender.send_data(body.to_owned().into(), true).unwrap();
    let response = response.await.unwrap();
    let (status, mut stream, mut text) = (response.status().as_u16(), response.into_body(), Vec::new());
    while let Some(data) = stream.data().await {
        let data = data.unwrap();
        text.extend_from_slice(&data);
        stream.flow_control().release_capacity(data.len()).unwrap();
    }
    (status, String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn http2_under_tls_is_bounded_counted_and_has_the_page_m16() {
    let stage = Stage::new().await;
    let client = stage.http2().await;

    assert!(ask(&client, "").await.0.contains("[DONE]"));
    let (status, text) = get(client.clone(), "/chat/completions", &" ".repeat(201)).await;
    assert!(status == 413 && text.contains("(200 bytes)"), "{status} {text}");
    let (status, page) = get(client.clone(), "/", "").await;
    let control = stage.mock.control_url().unwrap().replace("127.0.0.1", "localhost");
    assert_eq!((status, page.contains("<code>https://localhost:4010</code>")), (200, true));
    assert!(page.contains(&control), "{control}");

    stage
        .counts(&[
            r#"mock_requests_total{route="chat",class="2xx"} 1"#,
            r#"mock_requests_total{route="chat",class="4xx"} 1"#,
            r#"mock_requests_total{route="page",class="2xx"} 1"#,
            r#"mock_refused_total{reason="body"} 1"#,
            "mock_connections_total 1",
            "mock_connections_open 1",
            "mock_exchanges_open 0",
        ])
        .await;
    drop(client);
}

#[tokio::test]
async fn what_does_not_get_as_far_as_a_request_is_counted_m16() {
    let stage = Stage::new().await;

    shake_hands(stage.connect().await, &Tls::own().unwrap(), &[]).await.unwrap_err();
    for (sent, status) in
        [("nonsense\r\n\r\n".to_owned(), "400"), (format!("GET /{} ", "x".repeat(70_000)), "431")]
    {
        let mut stream = shake_hands(stage.connect().await, &stage.tls, &[]).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut told = String::new();
        // What was not read of the request may end the connection with a reset.
        drop(stream.read_to_string(&mut told).await);
        assert!(told.starts_with(&format!("HTTP/1.1 {status} ")), "{told}");
    }

    stage
        .counts(&[
            r#"mock_refused_total{reason="handshake"} 1"#,
            r#"mock_refused_total{reason="malformed"} 1"#,
            r#"mock_refused_total{reason="head"} 1"#,
            "mock_connections_total 3",
        ])
        .await;
}

#[tokio::test]
async fn an_ordered_fault_strikes_in_the_handshake_m15() {
    let stage = Stage::new().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = stage.mock.control_url().unwrap() + "/__mock/fault";

    let ordered = client.put(url).body("tls-handshake-stall;lasts=20ms").send().await.unwrap();
    assert_eq!(ordered.status(), 200);
    shake_hands(stage.connect().await, &stage.tls, &[]).await.unwrap();

    assert_eq!(stage.mock.journal()[0].faults[0].id, "tls-handshake-stall");
}
