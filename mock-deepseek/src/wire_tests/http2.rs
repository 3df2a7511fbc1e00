//! HTTP/2, seen by clients that speak it.

use std::{future::poll_fn, sync::Arc, time::Duration};

use bytes::Bytes;
use clock::Lab;
use h2::{Reason, client::SendRequest};
use http::Request;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{
    ends::in_lab,
    observe::script,
    secure::{connect, shake_hands, start},
};
use crate::{How, MockDeepSeek, Script, Tls};

/// Begins HTTP/2 on a stream of bytes.
pub(super) async fn begin<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(io: T) -> SendRequest<Bytes> {
    let (client, connection) = h2::client::handshake(io).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Asks on a stream of its own; returns the body, and the error that ended it.
pub(super) async fn ask(client: &SendRequest<Bytes>, fault: &str) -> (String, Option<h2::Error>) {
    let body = r#"{"model":"deepseek-flash","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let request = Request::post("http://mock/chat/completions")
        .header("authorization", "Bearer sk-test")
        .header("x-mock-fault", fault)
        .body(())
        .unwrap();
    let mut client = client.clone().ready().await.unwrap();
    let (response, mut sender) = client.send_request(request, false).unwrap();
    sender.send_data(body.into(), true).unwrap();
    let response = match response.await {
        Ok(response) => response,
        Err(error) => return (String::new(), Some(error)),
    };
    assert_eq!(
        (response.status(), response.headers().contains_key("transfer-encoding")),
        (200.try_into().unwrap(), false)
    );
    let (mut stream, mut text) = (response.into_body(), String::new());
    while let Some(data) = stream.data().await {
        match data {
            Ok(data) => text.push_str(std::str::from_utf8(&data).unwrap()),
            Err(error) => return (text, Some(error)),
        }
    }
    (text, None)
}

/// Asks a mock under TLS and HTTP/2.
pub(super) async fn ask_over_http2(lab: &Lab, mock: &MockDeepSeek, tls: &Tls) -> String {
    let stream = shake_hands(connect(lab, mock).await, tls, &[b"h2"]).await.unwrap();
    let (text, error) = ask(&begin(stream).await, "").await;
    assert!(error.is_none(), "{error:?}");
    text
}

#[test]
fn a_client_that_begins_with_http2_is_answered_so_m15() {
    in_lab(|lab| async move {
        let mock = start(&lab, script(""), None).await;
        let client = begin(connect(&lab, &mock).await).await;

        let (text, error) = ask(&client, "").await;

        assert!(
            error.is_none() && text.starts_with("data: {") && text.ends_with("data: [DONE]\n\n"),
            "{text}"
        );
        let exchange = &mock.journal()[0];
        assert_eq!((exchange.events, exchange.end.unwrap().how), (7, How::Completed));
        assert!(exchange.headers.contains(&("host".into(), "mock".into())));
    });
}

#[test]
fn http2_is_chosen_under_tls_by_those_who_offer_it_m15() {
    in_lab(|lab| async move {
        let tls = Tls::own().unwrap();
        let mock = start(&lab, script(""), Some(tls.clone())).await;
        let stream = shake_hands(connect(&lab, &mock).await, &tls, &[b"h2"]).await.unwrap();

        assert!(ask(&begin(stream).await, "").await.0.contains("[DONE]"));
    });
}

#[test]
fn goaway_takes_all_streams_of_the_connection_along_m15() {
    in_lab(|lab| async move {
        let mock = start(&lab, Script::default(), None).await;
        let (client, connection) = h2::client::handshake(connect(&lab, &mock).await).await.unwrap();
        let connection = tokio::spawn(connection);

        let ((text, error), (_, other)) =
            tokio::join!(ask(&client, "http2-goaway"), ask(&client, "accept-no-answer"));

        assert_eq!(text.matches("reasoning_content\":\"").count(), 3, "the role and two chunks: {text}");
        assert!(error.is_some() && other.is_some());
        let error = connection.await.unwrap().unwrap_err();
        assert!(error.is_go_away() && error.reason() == Some(Reason::INTERNAL_ERROR), "{error}");
        assert!(mock.journal()[0].faults[0].fired);
    });
}

#[test]
fn streams_that_go_down_with_their_connection_were_cut_by_the_mock_m15() {
    for fault in ["http2-goaway", "connect-reset", "tcp-rst-mid-stream"] {
        in_lab(|lab| async move {
            let mock = start(&lab, script(""), None).await;
            let client = begin(connect(&lab, &mock).await).await;

            tokio::join!(ask(&client, "accept-no-answer"), ask(&client, fault));

            let ends: Vec<_> = mock.journal().iter().map(|exchange| exchange.end.unwrap().how).collect();
            assert_eq!(ends, [How::Cut, How::Cut], "{fault}");
        });
    }
}

#[test]
fn who_goes_on_sending_too_much_gets_the_refusal_and_no_reset_m15() {
    const MUCH: usize = 1024 * 1024;

    in_lab(|lab| async move {
        let clock = Arc::new(lab.clock().clone());
        let builder = MockDeepSeek::builder().clock(clock).activity(lab.activity().clone());
        let mock = builder.body_max(1000).start().await.unwrap();
        let client = begin(connect(&lab, &mock).await).await;
        let request = Request::post("http://mock/chat/completions").body(()).unwrap();
        let (response, mut sender) = client.ready().await.unwrap().send_request(request, false).unwrap();

        sender.send_data(vec![b' '; 2000].into(), false).unwrap();
        assert_eq!(response.await.unwrap().status(), 413);
        let mut left = MUCH;
        while left > 0 {
            sender.reserve_capacity(left);
            let granted = poll_fn(|cx| sender.poll_capacity(cx)).await.unwrap().unwrap();
            sender.send_data(vec![b' '; granted].into(), granted == left).unwrap();
            left -= granted;
        }
    });
}

#[test]
fn a_reset_stream_leaves_the_others_alone_m15() {
    in_lab(|lab| async move {
        let mock = start(&lab, script(""), None).await;
        let client = begin(connect(&lab, &mock).await).await;

        let ((text, error), (other, fine)) =
            tokio::join!(ask(&client, "http2-rst-stream;reason=8"), ask(&client, ""));

        assert_eq!(text.matches("data: ").count(), 3, "{text}");
        assert_eq!(error.unwrap().reason(), Some(Reason::CANCEL));
        assert!(fine.is_none() && other.contains("[DONE]"));
        assert!(ask(&client, "").await.1.is_none(), "the connection lives on");
    });
}

#[test]
fn what_frames_bodies_in_http1_does_not_happen_in_http2_m15() {
    in_lab(|lab| async move {
        let mock = start(&lab, script(""), None).await;
        let client = begin(connect(&lab, &mock).await).await;

        let (text, error) = ask(&client, "bad-chunk-size").await;

        assert!(error.is_none() && text.contains("[DONE]"));
        assert!(!mock.journal()[0].faults[0].fired);
    });
}

#[test]
fn a_client_that_gives_a_stream_up_is_seen_at_once_m15() {
    in_lab(|lab| async move {
        let mock = start(&lab, script(""), None).await;
        let client = begin(connect(&lab, &mock).await).await;
        let asked = tokio::spawn({
            let client = client.clone();
            async move { ask(&client, "stall").await }
        });
        lab.advance(Duration::from_secs(5)).await.unwrap();
        assert_eq!(mock.journal()[0].end, None);

        asked.abort();
        lab.settled().await.unwrap();

        assert_eq!(mock.journal()[0].end.unwrap().how, How::ClientHungUp);
        assert!(ask(&client, "").await.1.is_none(), "the connection lives on");
    });
}

#[test]
fn a_file_is_uploaded_over_http2_too_m1() {
    let form = "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nuser_data\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n12345\r\n--b--";
    in_lab(|lab| async move {
        let mock = start(&lab, Script::default(), None).await;
        let client = begin(connect(&lab, &mock).await).await;
        let request = Request::post("http://mock/files")
            .header("authorization", "Bearer sk-test")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(())
            .unwrap();
        let (response, mut sender) = client.ready().await.unwrap().send_request(request, false).unwrap();
        sender.send_data(form.into(), true).unwrap();
        let response = response.await.unwrap();

        let status = response.status();
        let body = response.into_body().data().await.unwrap().unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(status == 200 && body.contains(r#""bytes":5,"#), "{status} {body}");
    });
}

#[test]
fn a_head_can_be_held_back_over_http2_too_m15() {
    in_lab(|lab| async move {
        let mock = start(&lab, script(""), None).await;
        let client = begin(connect(&lab, &mock).await).await;
        let asked = tokio::spawn(async move { ask(&client, "proxy-burst;lasts=20s").await });
        lab.advance(Duration::from_secs(19)).await.unwrap();
        let exchange = mock.journal().remove(0);
        assert_eq!((exchange.faults[0].fired, exchange.written, asked.is_finished()), (true, 0, false));

        lab.advance(Duration::from_secs(1)).await.unwrap();

        let (text, error) = asked.await.unwrap();
        assert!(error.is_none() && text.contains("[DONE]"));
    });
}

#[test]
fn a_client_that_gives_up_a_head_that_is_held_back_is_seen_m15() {
    in_lab(|lab| async move {
        let mock = start(&lab, script(""), None).await;
        let client = begin(connect(&lab, &mock).await).await;
        let asked = tokio::spawn({
            let client = client.clone();
            async move { ask(&client, "undici-300s;place=before-head").await }
        });
        lab.advance(Duration::from_mins(5)).await.unwrap();

        asked.abort();
        lab.settled().await.unwrap();

        assert_eq!(mock.journal()[0].end.unwrap().how, How::ClientHungUp);
    });
}

#[test]
fn the_preface_of_http2_may_come_in_parts_m15() {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

    // From the end of its first line on the mock speaks too, and all is settled only when that is read.
    const LINE: usize = "PRI * HTTP/2.0\r\n\r\n".len();

    for cut in 1..LINE {
        in_lab(|lab| async move {
            let mock = start(&lab, script(""), None).await;
            let mut socket = connect(&lab, &mock).await;

            socket.write_all(&PREFACE[..cut]).await.unwrap();
            lab.settled().await.unwrap();
            socket.write_all(&[&PREFACE[cut..], &SETTINGS].concat()).await.unwrap();
            let mut frame = [0; 9];
            socket.read_exact(&mut frame).await.unwrap();

            assert_eq!(frame[3], SETTINGS[3], "cut after {cut}");
        });
    }
}
