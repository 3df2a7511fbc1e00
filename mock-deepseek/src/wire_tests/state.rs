//! What depends on other requests, seen from sockets, and a script that changes under way.

use std::{fs, sync::Arc, time::Duration};

use clock::{Lab, Timestamp};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::observe::{chat, observe, script};
use crate::{How, MockDeepSeek, RELOAD_EVERY, Script};

/// One request on a connection of its own, which closes after it; returns the whole answer.
async fn ask(lab: Lab, address: std::net::SocketAddr, request: String) -> String {
    let stream = TcpStream::connect(address).await.unwrap();
    let mut stream = lab.activity().metered(stream).unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Runs a story on virtual time against a mock with this script.
fn play<F: Future<Output = ()>>(builder: crate::Builder, story: impl FnOnce(Lab, Arc<MockDeepSeek>) -> F) {
    let (runtime, lab) = Lab::new(Timestamp::from_second(1_790_000_000).unwrap()).unwrap();
    runtime.block_on(async move {
        let builder = builder.clock(Arc::new(lab.clock().clone())).activity(lab.activity().clone());
        let mock = Arc::new(builder.seed(7).start().await.unwrap());
        story(lab, mock).await;
    });
}

fn builder(toml: &str) -> crate::Builder {
    MockDeepSeek::builder().script(Script::from_toml(toml).unwrap())
}

fn closing() -> String {
    chat("", "connection: close\r\n")
}

/// So many requests at once, each on its connection; their answers in the end.
async fn at_once(lab: &Lab, mock: &MockDeepSeek, requests: usize) -> Vec<String> {
    let asked: Vec<_> =
        (0..requests).map(|_| tokio::spawn(ask(lab.clone(), mock.address(), closing()))).collect();
    lab.advance(Duration::from_mins(1)).await.unwrap();
    let mut answers = Vec::new();
    for task in asked {
        answers.push(task.await.unwrap());
    }
    answers
}

fn with_status(answers: &[String], status: &str) -> usize {
    answers.iter().filter(|answer| answer.starts_with(&format!("HTTP/1.1 {status} "))).count()
}

#[test]
fn of_thirty_parallel_calls_at_limit_25_five_are_refused_with_the_numbers_m9() {
    play(
        builder("[limits]\nconcurrency = 25\n[default]\npace = { first_token = \"2s\" }\n"),
        async |lab, mock| {
            let answers = at_once(&lab, &mock, 30).await;

            assert_eq!((with_status(&answers, "200"), with_status(&answers, "429")), (25, 5));
            let refused = answers.iter().find(|answer| answer.contains(" 429 ")).unwrap();
            assert!(refused.contains("Your current concurrency is 26, which exceeds your concurrency limit of 25 based on your remaining balance."), "{refused}");
            assert!(!refused.to_lowercase().contains("retry-after"), "{refused}");
            let journal = mock.journal();
            let named =
                journal.iter().filter(|exchange| exchange.rule.as_deref() == Some("limits.concurrency"));
            assert_eq!(named.count(), 5);

            // They are over: the next thirty find the same room.
            assert_eq!(with_status(&at_once(&lab, &mock, 30).await, "200"), 25);
        },
    );
}

#[test]
fn a_client_that_leaves_gives_its_place_up_m9() {
    play(
        builder("[limits]\nconcurrency = 1\n[default]\npace = { first_token = \"never\" }\n"),
        async |lab, mock| {
            let first = tokio::spawn(ask(lab.clone(), mock.address(), closing()));
            lab.settled().await.unwrap();
            assert_eq!(with_status(&at_once(&lab, &mock, 1).await, "429"), 1);

            first.abort();
            lab.settled().await.unwrap();
            mock.set_script(Script::from_toml("[limits]\nconcurrency = 1\n").unwrap());

            assert_eq!(with_status(&at_once(&lab, &mock, 1).await, "200"), 1);
        },
    );
}

#[test]
fn requests_under_way_stay_counted_when_the_script_changes_m9() {
    play(
        builder("[limits]\nconcurrency = 1\n[default]\npace = { first_token = \"never\" }\n"),
        async |lab, mock| {
            let first = tokio::spawn(ask(lab.clone(), mock.address(), closing()));
            lab.settled().await.unwrap();

            mock.set_script(Script::from_toml("[limits]\nconcurrency = 1\n").unwrap());

            assert_eq!(with_status(&at_once(&lab, &mock, 1).await, "429"), 1);
            first.abort();
        },
    );
}

#[test]
fn a_balance_runs_down_to_402_and_is_shown_m9() {
    let script = r#"
        [balance]
        start = "0.03"
        price_per_million = { cache_hit = 0, cache_miss = 0, output = 1000 }
        [default]
        reply = { thinking = "", pieces = ["a", " b", " c", " d", " e", " f", " g", " h", " i", " j"] }
    "#;
    play(builder(script), async |lab, mock| {
        let balance = "GET /user/balance HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-a\r\nconnection: close\r\n\r\n";
        let mut shown = Vec::new();
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.extend(at_once(&lab, &mock, 1).await);
            let asked = tokio::spawn(ask(lab.clone(), mock.address(), balance.to_owned()));
            lab.settled().await.unwrap();
            let answer = asked.await.unwrap();
            shown.push(answer.split_once("\r\n\r\n").unwrap().1.to_owned());
        }

        assert_eq!((with_status(&answers, "200"), with_status(&answers, "402")), (3, 1));
        assert!(answers[3].contains(r#"{"error":{"message":"Insufficient Balance (request_id: "#));
        insta::assert_snapshot!(shown[0], @r#"{"is_available":true,"balance_infos":[{"currency":"USD","total_balance":"0.02","granted_balance":"0.00","topped_up_balance":"0.02"}]}"#);
        insta::assert_snapshot!(shown[3], @r#"{"is_available":false,"balance_infos":[{"currency":"USD","total_balance":"0.00","granted_balance":"0.00","topped_up_balance":"0.00"}]}"#);
        mock.reset();
        assert_eq!(with_status(&at_once(&lab, &mock, 1).await, "200"), 1);
    });
}

#[test]
fn a_rule_can_strike_on_the_second_use_of_a_socket_m9() {
    let script =
        script("[[rules]]\nname = \"stale\"\nmatch = { socket_nth = 2 }\nfaults = [\"too-busy-503\"]\n");

    let observed =
        observe(script, &[chat("", ""), chat("", ""), chat("", "")].concat(), Duration::from_secs(1));

    let rules: Vec<_> = observed.journal.iter().map(|exchange| exchange.rule.as_deref()).collect();
    assert_eq!(rules, [None, Some("stale"), None]);
    assert_eq!(observed.seen.text().matches("HTTP/1.1 503 ").count(), 1);
}

#[test]
fn keep_alives_without_a_token_go_on_for_as_long_as_the_client_stays_m7() {
    let script = script("pace = { first_token = \"never\", keep_alive = \"5s\" }\n");

    let observed = observe(script, &chat(r#","stream":true"#, ""), Duration::from_mins(1));

    let times: Vec<_> = observed.seen.reads.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(times, (0..=12).map(|tick| tick * 5).collect::<Vec<_>>());
    assert!(!observed.seen.text().contains("data:"));
    assert_eq!(observed.afterwards[0].end.unwrap().how, How::ClientHungUp);
}

#[test]
fn keep_alives_before_json_are_blank_lines_m7() {
    let script = script("pace = { first_token = \"11s\", keep_alive = \"5s\" }\n");

    let seen = observe(script, &chat("", ""), Duration::from_mins(1)).seen;

    let times: Vec<_> = seen.reads.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(times, [0, 5, 10, 11]);
    assert!(seen.reads[1].1 == b"1\r\n\n\r\n" && seen.text().contains("It’s week 12."), "{}", seen.text());
}

#[test]
fn a_changed_file_is_played_and_a_wrong_one_is_refused_with_a_reason_m10() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script.toml");
    fs::write(&path, "[default]\nreply = { text = \"first\" }\n").unwrap();
    let builder = MockDeepSeek::builder().script_file(&path);
    let (written, looked_at) = (path.clone(), RELOAD_EVERY * 3);

    play(builder, async |lab, mock| {
        assert!(at_once(&lab, &mock, 1).await[0].contains("first"));
        let before = mock.script_status();
        assert_eq!((before.file.as_ref(), before.version, before.problem.as_deref()), (Some(&path), 1, None));

        fs::write(&written, "[[rules]]\nreply = { text = \"second\" }\n").unwrap();
        lab.advance(looked_at).await.unwrap();
        assert!(at_once(&lab, &mock, 1).await[0].contains("second"));

        fs::write(&written, "[[rules]]\nreply = { txt = \"third\" }\n").unwrap();
        lab.advance(looked_at).await.unwrap();
        assert!(at_once(&lab, &mock, 1).await[0].contains("second"), "the old one goes on");
        let status = mock.script_status();
        assert_eq!((status.version, status.rules), (2, 1));
        insta::assert_snapshot!(status.problem.unwrap(), @r#"
        script cannot be read, line 2, column 11: key `txt` is not known here
          |
        2 | reply = { txt = "third" }
          |           ^^^ did you mean `text`?
        known here: `text`, `thinking`, `finish`, `tokens_per_chunk`, `pieces`, `calls`
        "#);

        fs::write(&written, "[[rules]]\nreply = { text = \"fourth\" }\n").unwrap();
        lab.advance(looked_at).await.unwrap();
        assert!(at_once(&lab, &mock, 1).await[0].contains("fourth"));
        assert_eq!(mock.script_status().problem, None);
    });
}

#[test]
fn a_wrong_script_file_at_the_start_is_an_error_with_its_place_m10() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script.toml");
    fs::write(&path, "[[rules]]\nreplay = {}\n").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();

    let error = runtime.block_on(MockDeepSeek::builder().script_file(&path).start()).unwrap_err();

    assert!(error.to_string().contains("did you mean `reply`?"), "{error}");
}
