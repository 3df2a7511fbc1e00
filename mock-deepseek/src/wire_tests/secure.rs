//! TLS and HTTP/2, seen by clients that speak them.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use clock::{Lab, Metered};
use h2::{Reason, client::SendRequest};
use http::Request;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, pem::PemObject},
    },
};

use super::{
    ends::in_lab,
    observe::{chat, script},
};
use crate::{Exchange, Fault, How, MockDeepSeek, Script, Tls};

const STREAMED: &str = r#","stream":true"#;

pub(super) async fn start(lab: &Lab, script: Script, tls: Option<Tls>) -> MockDeepSeek {
    let clock = Arc::new(lab.clock().clone());
    let builder = MockDeepSeek::builder().clock(clock).activity(lab.activity().clone()).script(script);
    let builder = match tls {
        Some(tls) => builder.tls(tls),
        None => builder,
    };
    builder.start().await.unwrap()
}

pub(super) async fn connect(lab: &Lab, mock: &MockDeepSeek) -> Metered {
    lab.activity().metered(TcpStream::connect(mock.address()).await.unwrap()).unwrap()
}

pub(super) async fn shake_hands(
    socket: Metered,
    tls: &Tls,
    alpn: &[&[u8]],
) -> io::Result<TlsStream<Metered>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(tls.certificate().as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), socket).await
}

/// Asks once under TLS and HTTP/1.1, and reads until the connection ends.
async fn ask_secretly(lab: Lab, headers: String) -> (String, io::Result<usize>, Exchange) {
    let tls = Tls::own().unwrap();
    let mock = start(&lab, script(""), Some(tls.clone())).await;
    let mut stream = shake_hands(connect(&lab, &mock).await, &tls, &[]).await.unwrap();
    stream.write_all(chat(STREAMED, &headers).as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await;
    (String::from_utf8(bytes).unwrap(), end, mock.journal().remove(0))
}

#[test]
fn a_sound_connection_under_tls_ends_with_a_goodbye_m15() {
    let (text, end, exchange) = in_lab(|lab| ask_secretly(lab, "connection: close\r\n".into()));

    assert!(text.starts_with("HTTP/1.1 200 OK") && text.contains("data: [DONE]"), "{text}");
    assert_eq!((end.unwrap(), exchange.end.unwrap().how), (text.len(), How::Completed));
}

#[test]
fn a_cut_body_under_tls_still_ends_with_a_goodbye_m15() {
    let (text, end, exchange) = in_lab(|lab| ask_secretly(lab, "x-mock-fault: chunked-cut\r\n".into()));

    assert!(end.is_ok() && !text.contains("[DONE]"), "{text}");
    assert_eq!(exchange.end.unwrap().how, How::Cut);
}

#[test]
fn a_goodbye_that_is_missing_is_an_unexpected_end_m15() {
    let (text, end, exchange) =
        in_lab(|lab| ask_secretly(lab, "x-mock-fault: tls-close-without-notify\r\n".into()));

    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    assert_eq!(text.matches("data: ").count(), 3, "{text}");
    assert_eq!((exchange.faults[0].fired, exchange.end.unwrap().how), (true, How::Cut));
}

#[test]
fn without_tls_its_faults_do_not_happen_and_the_journal_says_so_m15() {
    for id in ["tls-close-without-notify", "http2-goaway", "http2-rst-stream"] {
        let header = format!("x-mock-fault: {id}\r\n");
        let observed = super::observe::observe(script(""), &chat(STREAMED, &header), Duration::from_secs(1));

        assert!(observed.seen.text().contains("[DONE]"), "{id}");
        assert!(!observed.journal[0].faults[0].fired, "{id}");
    }
}

#[test]
fn a_handshake_can_stand_still_for_ever_m15() {
    in_lab(|lab| async move {
        let (tls, stall) = (Tls::own().unwrap(), Fault::new("tls-handshake-stall").unwrap());
        let mock = start(&lab, Script::with_faults([stall]), Some(tls.clone())).await;
        let client = tokio::spawn({
            let socket = connect(&lab, &mock).await;
            async move { shake_hands(socket, &tls, &[]).await }
        });

        // The hello of the client lies unread, so the mock cannot settle; evidence is what is awaited.
        while mock.journal().is_empty() {
            tokio::task::yield_now().await;
        }

        let exchange = &mock.journal()[0];
        assert!(!client.is_finished());
        assert_eq!((exchange.method.as_str(), exchange.faults[0].fired, exchange.end), ("TLS", true, None));
        client.abort();
        while mock.journal()[0].end.is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(mock.journal()[0].end.unwrap().how, How::ClientHungUp);
    });
}

#[tokio::test]
async fn a_handshake_that_is_late_goes_on_m15() {
    let (tls, stall) = (Tls::own().unwrap(), Fault::parse("tls-handshake-stall;lasts=20ms").unwrap());
    let mock = MockDeepSeek::builder().tls(tls.clone()).script(Script::with_faults([stall]));
    let mock = mock.start().await.unwrap();
    let socket = TcpStream::connect(mock.address()).await.unwrap();

    let shaken = shake_hands(clock::Activity::unwatched().metered(socket).unwrap(), &tls, &[]).await;

    assert!(shaken.is_ok() && mock.url().starts_with("https://"));
    assert_eq!(mock.journal()[0].end.unwrap().how, How::Completed);
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_certificate_harms_nobody_m15() {
    let tls = Tls::own().unwrap();
    let mock = MockDeepSeek::builder().tls(tls.clone()).start().await.unwrap();
    let metered = |socket| clock::Activity::unwatched().metered(socket).unwrap();
    let socket = TcpStream::connect(mock.address()).await.unwrap();

    let error = shake_hands(metered(socket), &Tls::own().unwrap(), &[]).await.unwrap_err();

    assert!(error.to_string().contains("invalid peer certificate"), "{error}");
    let socket = TcpStream::connect(mock.address()).await.unwrap();
    assert!(shake_hands(metered(socket), &tls, &[]).await.is_ok());
}

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
