//! A replay is what was recorded, to the byte and to the millisecond, and that is what the upstream said.

use super::{MESSAGES, SPAN, body, both, builder, raw_upstream};
use crate::{
    Cassette, How, Replay, Script,
    wire_tests::{
        ends::in_lab,
        observe::{End, ask, ask_at_once, chat, post, post_to, script},
    },
};

/// Returns the lines of the head in order of the alphabet.
fn head(bytes: &[u8]) -> Vec<String> {
    let head = &bytes[..bytes.len() - body(bytes).len()];
    let mut lines: Vec<_> = String::from_utf8_lossy(head).lines().map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

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
