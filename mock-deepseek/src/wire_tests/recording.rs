//! A mock that records another: what its client sees, what the file holds, how a replay compares.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use clock::Lab;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{
    ends::in_lab,
    observe::{End, Seen, arrived, ask, ask_at_once, chat, post, post_to, script},
};
use crate::{
    Builder, Cassette, Exchange, How, MockDeepSeek, RecordError, Recording, Replay, Script, StartError,
};

pub(super) const SPAN: Duration = Duration::from_mins(1);

pub(super) fn builder(lab: &Lab) -> Builder {
    MockDeepSeek::builder().clock(Arc::new(lab.clock().clone())).activity(lab.activity().clone()).seed(7)
}

/// What a client saw of one request, and the journal of the mock that answered.
pub(super) struct Told {
    pub(super) seen: Seen,
    pub(super) exchange: Exchange,
}

/// Asks each request of a mock that records `upstream`, and then of a mock that replays it.
pub(super) async fn both(lab: &Lab, upstream: &str, requests: &[String]) -> (Vec<Told>, Vec<Told>, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cassette.jsonl");
    let recorder = builder(lab).record(upstream, &path).start().await.unwrap();
    let live = told(lab, &recorder, requests).await;
    assert_eq!(recorder.recorded().unwrap().reason, None);
    recorder.stop().await;
    let player = builder(lab).replay(Cassette::read(&path).unwrap()).start().await.unwrap();
    let replayed = told(lab, &player, requests).await;
    player.stop().await;
    (live, replayed, std::fs::read_to_string(&path).unwrap())
}

async fn told(lab: &Lab, mock: &MockDeepSeek, requests: &[String]) -> Vec<Told> {
    let mut all = Vec::new();
    for request in requests {
        let seen = ask(lab, mock.address(), request, SPAN).await;
        all.push(Told { seen, exchange: mock.journal().pop().unwrap() });
    }
    all
}

fn body(bytes: &[u8]) -> &[u8] {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    &bytes[head + 4..]
}

/// Returns the lines of the head in order of the alphabet.
fn head(bytes: &[u8]) -> Vec<String> {
    let head = &bytes[..bytes.len() - body(bytes).len()];
    let mut lines: Vec<_> = String::from_utf8_lossy(head).lines().map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

/// Serves one connection with these bytes, each after its pause, and closes; tells what was asked.
pub(super) async fn raw_upstream(
    lab: &Lab,
    parts: Vec<(u64, Vec<u8>)>,
) -> (SocketAddr, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let lab = lab.clone();
    let serve = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = lab.activity().metered(stream).unwrap();
        let mut asked = vec![0; 64 * 1024];
        let count = stream.read(&mut asked).await.unwrap();
        for (pause, bytes) in parts {
            clock::Clock::sleep(lab.clock(), Duration::from_millis(pause)).await;
            stream.write_all(&bytes).await.unwrap();
        }
        asked.truncate(count);
        String::from_utf8_lossy(&asked).into_owned()
    });
    (address, serve)
}

pub(super) const MESSAGES: &str =
    r#"{"model":"deepseek-flash","max_tokens":64,"messages":[{"role":"user","content":"hi"}],"stream":true}"#;

#[test]
fn a_replay_equals_its_recording_and_that_the_upstream_m14() {
    let paced = "pace = { first_token = \"300ms\", gap = \"20ms\" }\n";
    let requests = [
        chat(r#","stream":true"#, ""),
        chat(r#","stream":true,"thinking":{"type":"enabled"}"#, ""),
        chat("", ""),
        chat(r#","stream":true,"logprobs":true,"top_logprobs":2"#, ""),
        chat(
            r#","stream":true,"thinking":{"type":"disabled"},"tool_choice":"required","tools":[{"type":"function","function":{"name":"week"}}]"#,
            "",
        ),
        post_to("/beta/completions", r#"{"model":"deepseek-v4-pro","prompt":"hi","stream":true}"#, ""),
        post_to("/anthropic/v1/messages", MESSAGES, ""),
        post_to("/anthropic/v1/messages", &MESSAGES.replace("true", "false"), "x-api-key: sk-test\r\n"),
        post_to("/responses", r#"{"model":"deepseek-flash","input":"hi","stream":true}"#, ""),
        post_to("/v1/responses", r#"{"model":"deepseek-flash","input":"hi"}"#, ""),
        "GET /models HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-test\r\n\r\n".to_owned(),
        "GET /user/balance HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-test\r\n\r\n".to_owned(),
        "POST /chat/completions HTTP/1.1\r\nhost: mock\r\ncontent-length: 0\r\n\r\n".to_owned(),
        post(r#"{"model":"deepseek-flash"}"#, ""),
        post("no json", ""),
        "GET /nowhere HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-test\r\n\r\n".to_owned(),
    ];
    in_lab(|lab| async move {
        let upstream = builder(&lab).script(script(paced)).start().await.unwrap();

        let (recorded, replayed, _) = both(&lab, &upstream.url(), &requests).await;

        for ((one, other), origin) in recorded.iter().zip(&replayed).zip(upstream.journal()) {
            assert_eq!(one.seen.full_story(), other.seen.full_story());
            assert_eq!(body(&one.seen.bytes()), body(&origin.written_bytes()), "{}", origin.path);
            assert_eq!(head(&one.seen.bytes()), head(&origin.written_bytes()), "{}", origin.path);
            assert_eq!(
                (one.exchange.rule.as_deref(), other.exchange.rule.as_deref()),
                (Some("record"), Some("replay"))
            );
            for exchange in [&one.exchange, &other.exchange] {
                assert_eq!(
                    (exchange.events, exchange.written),
                    (origin.events, one.seen.bytes().len() as u64)
                );
                assert_eq!(exchange.end.unwrap().how, How::Completed);
            }
        }
        let times: Vec<_> = replayed[0].seen.reads.iter().map(|(at, _)| at.as_millis()).collect();
        assert_eq!(times, [0, 300, 320, 340, 360]);
    });
}

#[test]
fn an_answer_that_ends_too_early_is_replayed_so_m14() {
    for (fault, end, how) in [
        ("chunked-cut", End::Closed, How::Cut),
        ("tcp-rst-mid-stream;after_events=3", End::Reset, How::Cut),
        ("stall;after_events=2;lasts=8s", End::Open, How::Completed),
        ("eof-no-done", End::Open, How::Completed),
        ("balance-402", End::Open, How::Completed),
        ("html-500", End::Open, How::Completed),
        ("utf8-split", End::Open, How::Completed),
    ] {
        in_lab(|lab| async move {
            let script = script(&format!("faults = [\"{fault}\"]\n"));
            let upstream = builder(&lab).script(script).start().await.unwrap();

            let (recorded, replayed, _) = both(&lab, &upstream.url(), &[chat(r#","stream":true"#, "")]).await;

            assert_eq!(recorded[0].seen.full_story(), replayed[0].seen.full_story(), "{fault}");
            assert_eq!((replayed[0].seen.end, replayed[0].exchange.end.unwrap().how), (end, how), "{fault}");
            assert_eq!((recorded[0].seen.end, recorded[0].exchange.end.unwrap().how), (end, how), "{fault}");
        });
    }
}

#[test]
fn a_body_shorter_than_its_length_is_replayed_so_m14() {
    in_lab(|lab| async move {
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"a\":"
            .to_vec();
        let (address, _) =
            raw_upstream(&lab, vec![(250, head), (750, b"1".to_vec()), (500, Vec::new())]).await;

        let (recorded, replayed, file) = both(&lab, &format!("http://{address}"), &[chat("", "")]).await;

        assert_eq!(recorded[0].seen.full_story(), replayed[0].seen.full_story());
        let seen = &replayed[0].seen;
        assert!(
            seen.text().contains("content-length: 100\r\n") && seen.text().ends_with("{\"a\":1"),
            "{}",
            seen.text()
        );
        let times: Vec<_> = seen.reads.iter().map(|(at, _)| at.as_millis()).collect();
        assert_eq!((times, seen.end, seen.ended.as_millis()), (vec![250, 1000], End::Closed, 1500));
        assert!(file.contains(r#"{"end":{"at_ms":1500,"how":"cut","missing":94}}"#), "{file}");
    });
}

#[test]
fn a_body_without_length_ends_with_its_connection_m14() {
    in_lab(|lab| async move {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: [DONE]\n\n".to_vec();
        let (address, _) = raw_upstream(&lab, vec![(0, answer)]).await;

        let (recorded, replayed, _) = both(&lab, &format!("http://{address}"), &[chat("", "")]).await;

        assert_eq!(recorded[0].seen.full_story(), replayed[0].seen.full_story());
        assert!(replayed[0].seen.text().contains("connection: close\r\n"));
        assert_eq!(
            (replayed[0].seen.end, replayed[0].exchange.end.unwrap().how),
            (End::Closed, How::Completed)
        );
        assert_eq!((recorded[0].exchange.events, replayed[0].exchange.events), (1, 1));
    });
}

#[test]
fn the_upstream_gets_the_request_as_it_was_and_no_wish_for_compression_m14() {
    in_lab(|lab| async move {
        let (address, asked) =
            raw_upstream(&lab, vec![(0, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec())]).await;
        let request = post(
            r#"{ "b":1,  "a":"é" }"#,
            "accept-encoding: gzip\r\nx-custom: 1\r\nanthropic-version: 2023-06-01\r\n",
        );

        both(&lab, &format!("http://{address}/"), &[request]).await;

        let asked = asked.await.unwrap();
        assert!(
            asked.starts_with("POST /chat/completions HTTP/1.1\r\n")
                && asked.ends_with("\r\n\r\n{ \"b\":1,  \"a\":\"é\" }"),
            "{asked}"
        );
        for line in [
            "authorization: Bearer sk-test",
            "x-custom: 1",
            "accept-encoding: identity",
            "anthropic-version: 2023-06-01",
        ] {
            assert!(asked.contains(&format!("\r\n{line}\r\n")), "{line} in {asked}");
        }
        assert!(!asked.contains("gzip"), "{asked}");
    });
}

const CANARIES: [&str; 8] = [
    "sk-CANARY0123456789abcd",
    "own-gateway-key",
    "canary.bird@example.org",
    "+49 171 2345678",
    "4111 1111 1111 1111",
    "session-CANARY",
    "user-CANARY",
    "cookie-of-the-answer",
];

#[test]
fn no_canary_reaches_the_file_and_each_reaches_the_client_m14() {
    let [key, own, mail, phone, card, session, user, cookie] = CANARIES;
    let said = format!("Bearer {key}, {mail}, {phone}, {card}, {session}, {user}, {own}");
    let request = post(
        &format!(r#"{{"model":"m","user_id":"{user}","messages":[{{"content":"{said}"}}],"stream":true}}"#),
        &format!("x-api-key: {own}\r\ncookie: a=b; s={session}\r\nx-other-token: {key}\r\n"),
    );
    let event =
        |text: &str| format!("data: {}\n\n", serde_json::json!({"choices": [{"delta": {"content": text}}]}));
    let deltas: String =
        said.as_bytes().chunks(5).map(|token| event(std::str::from_utf8(token).unwrap())).collect();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nset-cookie: id={cookie}; Secure\r\nx-mail: {mail}\r\n\r\n"
    );
    in_lab(|lab| async move {
        let echo = format!("{}data: {cookie}\n\n", event(&said));
        let parts = [head, deltas.clone(), echo].map(|text| (10, text.into_bytes())).into();
        let (address, asked) = raw_upstream(&lab, parts).await;

        let (recorded, replayed, file) = both(&lab, &format!("http://{address}"), &[request]).await;

        let (asked, seen) = (asked.await.unwrap(), recorded[0].seen.text());
        assert!(seen.contains(&deltas) && seen.contains(cookie), "{seen}");
        for canary in &CANARIES[..7] {
            assert!(asked.contains(canary) && seen.contains(canary), "{canary}");
        }
        for canary in CANARIES {
            assert!(!file.contains(canary), "{canary} in {file}");
        }
        let deltas = |text: &str| -> String {
            let payloads = text.lines().filter_map(|line| {
                serde_json::from_str::<serde_json::Value>(line.strip_prefix("data: ")?).ok()
            });
            payloads.map(|json| json["choices"][0]["delta"]["content"].as_str().unwrap().to_owned()).collect()
        };
        let replayed = deltas(&replayed[0].seen.text());
        assert_eq!(replayed.matches("<email-1>").count(), 2, "{replayed}");
        assert!(CANARIES.iter().all(|canary| !replayed.contains(canary)), "{replayed}");
    });
}

#[test]
fn two_clients_at_once_do_not_mix_m14() {
    in_lab(|lab| async move {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.jsonl");
        let rules = ["one", "two"].map(|word| {
            format!("[[rules]]\nmatch = {{ contains = \"{word}\" }}\nreply = {{ thinking = \"\", text = \"{word} {word} {word} {word}\" }}\npace = {{ first_token = \"1s\", gap = \"100ms\" }}\n")
        });
        let upstream =
            builder(&lab).script(Script::from_toml(&rules.concat()).unwrap()).start().await.unwrap();
        let recorder = builder(&lab).record(upstream.url(), &path).start().await.unwrap();
        let request = |word: &str| {
            post(
                &format!(
                    r#"{{"model":"deepseek-flash","messages":[{{"role":"user","content":"{word}"}}],"stream":true}}"#
                ),
                "",
            )
        };
        let (one, two) = (request("one"), request("two"));

        let told = ask_at_once(&lab, recorder.address(), &[&one, &two], SPAN).await;
        for (seen, word) in told.iter().zip(["one", "two"]) {
            assert_eq!(seen.text().matches(word).count(), 4, "{}", seen.text());
        }
        recorder.stop().await;

        let player = builder(&lab).replay(Cassette::read(&path).unwrap()).start().await.unwrap();
        let (second, first) =
            (ask(&lab, player.address(), &two, SPAN).await, ask(&lab, player.address(), &one, SPAN).await);
        assert_eq!((first.text().matches("one").count(), second.text().matches("two").count()), (4, 4));
        assert_eq!((first.text().matches("two").count(), second.text().matches("one").count()), (0, 0));
    });
}

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
) -> (Seen, crate::Recorded, usize) {
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

#[test]
fn a_replay_can_be_faster_and_without_pauses_m14() {
    in_lab(|lab| async move {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.jsonl");
        let paced = script("pace = { first_token = \"400ms\", gap = \"20ms\" }\n");
        let upstream = builder(&lab).script(paced).start().await.unwrap();
        let recorder = builder(&lab).record(upstream.url(), &path).start().await.unwrap();
        let request = chat(r#","stream":true"#, "");
        ask(&lab, recorder.address(), &request, SPAN).await;
        let cassette = Cassette::read(&path).unwrap();

        for (speed, expected) in
            [(2.0, vec![0, 200, 210, 220, 230]), (0.0, vec![0]), (0.5, vec![0, 800, 840, 880, 920])]
        {
            let player =
                builder(&lab).replay(Replay::new(cassette.clone()).speed(speed)).start().await.unwrap();
            let seen = ask(&lab, player.address(), &request, SPAN).await;
            assert_eq!(
                seen.reads.iter().map(|(at, _)| at.as_millis()).collect::<Vec<_>>(),
                expected,
                "{speed}"
            );
        }
    });
}
