//! TLS, seen by clients that speak it.

use std::{io, sync::Arc, time::Duration};

use clock::{Lab, Metered};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
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
