//! A mock that replays: faults over a recorded stream, what counts as the same request, and misses.

use std::time::Duration;

use super::{
    ends::in_lab,
    observe::{Seen, ask, chat, observe, post, post_to, script},
    recording::builder,
};
use crate::{AfterLast, Cassette, Exchange, Fault, How, Layer, Replay, Script, catalogue};

const SPAN: Duration = Duration::from_mins(2);

/// Records what a sound mock says to these requests.
async fn recorded(lab: &clock::Lab, requests: &[String]) -> Cassette {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.jsonl");
    let upstream = builder(lab).script(script("")).start().await.unwrap();
    let recorder = builder(lab).record(upstream.url(), &path).start().await.unwrap();
    for request in requests {
        ask(lab, recorder.address(), request, Duration::ZERO).await;
    }
    Cassette::read(&path).unwrap()
}

/// Records the first requests and asks the others of a replay.
fn replay(
    record: &[String],
    settings: impl FnOnce(Replay) -> Replay,
    asked: &[String],
) -> Vec<(Seen, Exchange)> {
    let (record, asked) = (record.to_vec(), asked.to_vec());
    in_lab(|lab| async move {
        let cassette = recorded(&lab, &record).await;
        let player = builder(&lab).replay(settings(Replay::new(cassette))).start().await.unwrap();
        let mut told = Vec::new();
        for request in asked {
            let seen = ask(&lab, player.address(), &request, SPAN).await;
            told.push((seen, player.journal().pop().unwrap()));
        }
        told
    })
}

fn same(replay: Replay) -> Replay {
    replay
}

#[test]
fn a_fault_over_a_recording_writes_what_it_writes_over_a_reply_m5_m14() {
    for (path, body, least) in STREAMS {
        let fired = faults_over(path, body);
        assert!(fired >= least, "only {fired} faults fired over {path}");
    }
}

/// A stream of each form, and how many faults have a place in it at least.
const STREAMS: [(&str, &str, usize); 6] = [
    (
        "/chat/completions",
        r#"{"model":"deepseek-flash","messages":[{"role":"user","content":"hi"}],"stream":true}"#,
        60,
    ),
    (
        "/chat/completions",
        r#"{"model":"deepseek-flash","messages":[{"role":"user","content":"hi"}],"stream":true,"logprobs":true,"top_logprobs":1,"stream_options":{"include_usage":true}}"#,
        60,
    ),
    (
        "/chat/completions",
        r#"{"model":"deepseek-flash","messages":[{"role":"user","content":"hi"}],"stream":true,"tools":[{"type":"function","function":{"name":"week"}}],"tool_choice":"required","thinking":{"type":"disabled"}}"#,
        50,
    ),
    ("/beta/completions", r#"{"model":"deepseek-v4-pro","prompt":"hi","stream":true}"#, 50),
    (
        "/anthropic/v1/messages",
        r#"{"model":"deepseek-flash","max_tokens":64,"messages":[{"role":"user","content":"hi"}],"stream":true}"#,
        50,
    ),
    ("/responses", r#"{"model":"deepseek-flash","input":"hi","stream":true}"#, 50),
];

/// Plays each fault over a recording and over a reply, and returns how many fired.
fn faults_over(path: &str, body: &str) -> usize {
    let plain = |headers: &str| post_to(path, body, headers);
    let sound = plain("");
    let cassette = in_lab(|lab| async move { recorded(&lab, &[sound]).await });
    let (mut fired, mut different) = (0, Vec::new());
    for info in catalogue().iter().filter(|info| info.layer != Layer::Address) {
        let faulty = plain(&format!("x-mock-fault: {}\r\n", info.id));
        let (replay, request) = (Replay::new(cassette.clone()), faulty.clone());

        let (seen, exchange) = in_lab(|lab| async move {
            let player = builder(&lab).replay(replay).start().await.unwrap();
            let seen = ask(&lab, player.address(), &request, SPAN).await;
            (seen, player.journal().remove(0))
        });

        if exchange.faults.first().is_some_and(|fault| fault.fired) {
            let direct = observe(script(""), &faulty, SPAN);
            let is_same = seen.full_story() == direct.seen.full_story();
            if !is_same || exchange.events != direct.journal[0].events {
                different.push(info.id);
            }
            fired += 1;
        }
    }
    assert!(different.is_empty(), "over {path}, these write something else: {different:?}");
    fired
}

#[test]
fn faults_of_the_script_act_on_a_replay_as_well_m14() {
    in_lab(|lab| async move {
        let request = chat(r#","stream":true"#, "");
        let cassette = recorded(&lab, std::slice::from_ref(&request)).await;
        let script = Script::with_faults([Fault::parse("stall;after_events=2;lasts=8s").unwrap()]);
        let player = builder(&lab).replay(cassette).script(script).start().await.unwrap();

        let seen = ask(&lab, player.address(), &request, SPAN).await;

        assert_eq!(seen.reads.iter().map(|(at, _)| at.as_secs()).collect::<Vec<_>>(), [0, 8]);
        assert!(player.journal()[0].faults[0].fired);
    });
}

#[test]
fn what_does_not_decide_the_answer_is_no_difference_m14() {
    let recorded = post(
        r#"{"model":"deepseek-flash","messages":[{"role":"user","content":"I am anna@example.org"}],"user_id":"anna-1"}"#,
        "",
    );
    let asked = [
        post(
            r#"{"user_id":"ben-22", "stream":false,"messages":[{"content":"I am ben@example.org","role":"user"}],"model":"deepseek-flash+crlf"}"#,
            "",
        ),
        post(
            r#"{"model":"deepseek-flash","messages":[{"role":"user","content":"I am anna@example.org"}],"user_id":"anna-1"}"#,
            "x-other: 1\r\n",
        ),
    ];

    for (seen, exchange) in replay(&[recorded], same, &asked) {
        assert!(seen.text().starts_with("HTTP/1.1 200 OK\r\n"), "{}", seen.text());
        assert_eq!(exchange.rule.as_deref(), Some("replay"));
    }
}

#[test]
fn a_field_can_be_ignored_m14() {
    let recorded = chat(r#","temperature":0.2,"x":{"y":1}"#, "");
    let asked = chat(r#","temperature":0.9,"x":{}"#, "");
    let ignore = |replay: Replay| replay.ignore("/temperature").ignore("/x/y");

    let statuses = |told: Vec<(Seen, Exchange)>| told[0].0.text()[..12].to_owned();

    assert_eq!(
        statuses(replay(std::slice::from_ref(&recorded), ignore, std::slice::from_ref(&asked))),
        "HTTP/1.1 200"
    );
    assert_eq!(statuses(replay(&[recorded], same, &[asked])), "HTTP/1.1 404");
}

fn message(seen: &Seen) -> String {
    let text = seen.text();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    let json: serde_json::Value =
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {text}"));
    json["error"]["message"].as_str().unwrap().to_owned()
}

#[test]
fn a_miss_names_the_nearest_request_and_what_differs_m14() {
    let other = post(r#"{"model":"deepseek-chat","messages":[]}"#, "");
    let asked = [
        chat(r#","stream":true,"stop":["a/b"]"#, ""),
        "GET /models HTTP/1.1\r\nhost: mock\r\n\r\n".to_owned(),
        post("no json", ""),
    ];

    let told = replay(&[other, chat(r#","max_tokens":5"#, "")], same, &asked);

    insta::assert_snapshot!(message(&told[0].0), @r#"mock-deepseek: no answer to POST /chat/completions is recorded; the nearest, in line 6 of the cassette, differs at `/max_tokens` (recorded 5, asked nothing), at `/stop` (recorded nothing, asked ["a/b"]), at `/stream` (recorded nothing, asked true); to record it: `gauntlet mock --record URL --cassette FILE`, and ask again"#);
    insta::assert_snapshot!(message(&told[1].0), @r#"mock-deepseek: no answer to GET /models is recorded; the nearest, in line 2 of the cassette, differs in the method (recorded POST, asked GET), in the path (recorded /chat/completions, asked /models), in the key (recorded present, asked absent); to record it: `gauntlet mock --record URL --cassette FILE`, and ask again"#);
    insta::assert_snapshot!(message(&told[2].0), @r#"mock-deepseek: no answer to POST /chat/completions is recorded; the nearest, in line 2 of the cassette, differs in the body, which is not JSON in both; to record it: `gauntlet mock --record URL --cassette FILE`, and ask again"#);
    assert!(told.iter().all(|(seen, _)| seen.text().starts_with("HTTP/1.1 404 Not Found\r\n")));
    assert!(told.iter().all(|(_, exchange)| exchange.end.unwrap().how == How::Completed));
}

#[test]
fn equal_requests_are_answered_in_order_and_then_as_was_set_m14() {
    let request = chat("", "");
    let id = |seen: &Seen| seen.text().split(r#""id":""#).nth(1).map(|rest| rest[..36].to_owned());
    let asked = vec![request.clone(); 4];

    let repeat: Vec<_> = replay(&asked[..2], same, &asked).iter().map(|(seen, _)| id(seen)).collect();
    let miss = replay(&asked[..2], |replay| replay.after_last(AfterLast::Miss), &asked[..3]);

    assert!(repeat[0].is_some() && repeat[0] != repeat[1]);
    assert_eq!((&repeat[2], &repeat[3]), (&repeat[1], &repeat[1]));
    assert_eq!(id(&miss[1].0), repeat[1]);
    insta::assert_snapshot!(message(&miss[2].0), @r#"mock-deepseek: POST /chat/completions was recorded 2 times and is asked for once more; record it more often, or let the last answer repeat"#);
}

#[test]
fn a_reset_begins_sequences_anew_m14() {
    in_lab(|lab| async move {
        let request = chat("", "");
        let cassette = recorded(&lab, &[request.clone(), request.clone()]).await;
        let player = builder(&lab).replay(cassette).start().await.unwrap();

        let first = ask(&lab, player.address(), &request, SPAN).await.text();
        let second = ask(&lab, player.address(), &request, SPAN).await.text();
        player.reset();
        let third = ask(&lab, player.address(), &request, SPAN).await.text();

        assert!(first != second && first == third);
    });
}

#[test]
fn a_client_of_http_1_0_gets_a_replay_without_chunks_m14() {
    let request = chat(r#","stream":true"#, "");

    let (seen, exchange) =
        replay(std::slice::from_ref(&request), same, &[request.replace("HTTP/1.1", "HTTP/1.0")]).remove(0);

    assert!(!seen.text().contains("chunked") && seen.text().ends_with("data: [DONE]\n\n"), "{}", seen.text());
    assert_eq!(exchange.events, 7);
}
