//! What is passed on and not recorded, and what a recording refuses.

use std::{path::Path, time::Duration};

use clock::Lab;
use tokio::net::TcpListener;

use super::{SPAN, body, builder, raw_upstream};
use crate::{
    Cassette, RecordError, Recorded, Recording, StartError,
    wire_tests::{
        ends::in_lab,
        observe::{End, Seen, arrived, ask, chat},
    },
};

#[test]
fn an_upstream_that_is_not_there_is_told_and_nothing_recorded_m14() {
    in_lab(|lab| async move {
        let folder = tempfile::tempdir().unwrap();
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dead = taken.local_addr().unwrap();
        drop(taken);
        let plain = builder(&lab).start().await.unwrap();
        let tls = plain.url().replace("http://", "https://");
        for (place, url) in [format!("http://{dead}"), tls].into_iter().enumerate() {
            let path = folder.path().join(place.to_string());
            let recorder = builder(&lab).record(&url, &path).start().await.unwrap();

            let seen = ask(&lab, recorder.address(), &chat("", ""), SPAN).await;

            let text = seen.text();
            assert!(text.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{text}");
            assert!(text.contains(&format!("mock-deepseek: upstream `{url}` did not answer: ")), "{text}");
            let counts = recorder.recorded().unwrap();
            assert_eq!((counts.kept, counts.left_out), (0, 1));
            assert!(Cassette::read(&path).unwrap().is_empty());
            assert_eq!(recorder.journal()[0].rule.as_deref(), Some("record"));
            recorder.stop().await;
        }
    });
}

async fn left_out(
    lab: &Lab,
    recording: impl FnOnce(String, &Path) -> Recording,
    parts: Vec<(u64, Vec<u8>)>,
    span: Duration,
) -> (Seen, Recorded, usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.jsonl");
    let (address, _) = raw_upstream(lab, parts).await;
    let recorder =
        builder(lab).recording(recording(format!("http://{address}"), &path)).start().await.unwrap();
    let seen = ask(lab, recorder.address(), &chat("", "accept-encoding: gzip\r\n"), span).await;
    let counts = || recorder.recorded().unwrap();
    arrived(lab, || counts().kept + counts().left_out > 0).await;
    let counts = counts();
    recorder.stop().await;
    (seen, counts, Cassette::read(&path).unwrap().len())
}

#[test]
fn a_compressed_answer_is_recorded_only_when_asked_m14() {
    let answer = || {
        vec![(
            0,
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00"
                .to_vec(),
        )]
    };
    in_lab(|lab| async move {
        let (seen, recorded, tracks) =
            left_out(&lab, |url, path| Recording::new(url, path), answer(), SPAN).await;
        assert_eq!((recorded.kept, tracks), (0, 0));
        assert_eq!(recorded.reason.unwrap(), "the answer is compressed (gzip) and cannot be scrubbed");
        assert!(seen.bytes().ends_with(b"\x1f\x8b\x08\x00"));

        let keep = |url: String, path: &Path| Recording::new(url, path).keep_compressed();
        let (_, recorded, tracks) = left_out(&lab, keep, answer(), SPAN).await;
        assert_eq!((recorded.kept, recorded.left_out, tracks), (1, 0, 1));
    });
}

#[test]
fn a_client_that_leaves_leaves_nothing_in_the_file_m14() {
    in_lab(|lab| async move {
        let parts = vec![
            (0, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n".to_vec()),
            (90_000, b"0\r\n\r\n".to_vec()),
        ];

        let (_, recorded, tracks) = left_out(&lab, |url, path| Recording::new(url, path), parts, SPAN).await;

        assert_eq!((recorded.kept, recorded.left_out, tracks), (0, 1, 0));
        assert_eq!(recorded.reason.unwrap(), "the client left before the end of the answer");
        let (seen, recorded, _) =
            left_out(&lab, |url, path| Recording::new(url, path), vec![(90_000, Vec::new())], SPAN).await;
        assert_eq!((seen.reads.len(), recorded.left_out), (0, 1));
        assert_eq!(recorded.reason.unwrap(), "the client left before the answer began");
    });
}

#[test]
fn an_answer_over_the_limit_is_passed_on_and_not_kept_m14() {
    let length = crate::ANSWER_KEPT_MAX + 1;
    let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into_bytes();
    answer.extend(std::iter::repeat_n(b'x', length));
    in_lab(|lab| async move {
        let (seen, recorded, tracks) =
            left_out(&lab, |url, path| Recording::new(url, path), vec![(0, answer)], SPAN).await;

        assert_eq!(body(&seen.bytes()).len(), length);
        assert_eq!((recorded.left_out, tracks), (1, 0));
    });
}

#[test]
fn an_upstream_that_falls_silent_is_given_up_m14() {
    in_lab(|lab| async move {
        let hour = Duration::from_hours(1);
        let parts = vec![
            (0, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n".to_vec()),
            (7_200_000, Vec::new()),
        ];

        let (seen, recorded, _) = left_out(&lab, |url, path| Recording::new(url, path), parts, hour).await;

        assert_eq!((seen.end, seen.ended), (End::Closed, crate::UPSTREAM_SILENCE_MAX));
        assert_eq!(recorded.reason.unwrap(), "the upstream fell silent within the answer");
    });
}

#[test]
fn a_fault_is_refused_while_recording_m14() {
    in_lab(|lab| async move {
        let folder = tempfile::tempdir().unwrap();
        let recorder =
            builder(&lab).record("http://127.0.0.1:9", folder.path().join("c")).start().await.unwrap();

        let text = ask(&lab, recorder.address(), &chat("", "x-mock-fault: crlf\r\n"), SPAN).await.text();

        assert!(
            text.starts_with("HTTP/1.1 400 ") && text.contains("faults are not played while recording"),
            "{text}"
        );
    });
}

#[test]
fn a_second_session_appends_and_a_file_that_is_no_cassette_is_left_alone_m14() {
    in_lab(|lab| async move {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.jsonl");
        let upstream = builder(&lab).start().await.unwrap();
        for mail in ["anna@example.org", "ben@example.org"] {
            let recorder = builder(&lab).record(upstream.url(), &path).start().await.unwrap();
            let second = builder(&lab).record(upstream.url(), &path).start().await.unwrap_err();
            assert!(matches!(second, StartError::Record(RecordError::Taken { .. })), "{second}");
            ask(&lab, recorder.address(), &chat(&format!(r#","x":"{mail}""#), ""), SPAN).await;
            recorder.stop().await;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("<email-1>") && text.contains("<email-2>"), "{text}");
        assert_eq!(text.parse::<Cassette>().unwrap().len(), 2);

        std::fs::write(&path, "my diary\n").unwrap();
        let error = builder(&lab).record(upstream.url(), &path).start().await.unwrap_err().to_string();
        assert!(error.contains("cassette is damaged in line 1: "), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "my diary\n");
    });
}
