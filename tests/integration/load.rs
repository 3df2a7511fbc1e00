//! `gauntlet load` from outside: a small load on the mock and on stand-ins, and how it ends.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use serde_json::Value;

const STREAMS: &str = r#"
about = "A small load"

[[cases]]
name = "streams"
title = "8 streams of 6 chunks at 2 ms"
connections = 8
stream = true
chunks = 6
gap = "2ms"
rounds = 1
windows = 2
window = "60ms"
warm_up = "20ms"
drain = "5s"
with_rules = true
"#;

const ANSWERS: &str = r#"
[[cases]]
name = "answers"
title = "4 connections"
connections = 4
stream = false
chunks = 6
rounds = 2
window = "60ms"
warm_up = "20ms"
drain = "5s"
"#;

/// Runs a profile of this text in `folder`.
fn load(folder: &Path, profile: &str, arguments: &[&str]) -> Output {
    command(folder, profile, arguments).output().unwrap()
}

fn command(folder: &Path, profile: &str, arguments: &[&str]) -> Command {
    fs::write(folder.join("small.toml"), profile).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
    command.args(["load", "./small.toml"]).args(arguments).current_dir(folder);
    command
}

fn told(output: &Output) -> String {
    [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat()
}

/// Answers every request with a stream of `chunks(nth)` chunks, on threads that end with the test.
fn stand_in(chunks: fn(usize) -> usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (nth, socket) in listener.incoming().enumerate() {
            thread::spawn(move || answer(socket.unwrap(), chunks(nth)));
        }
    });
    address
}

/// Answers on one connection until the client leaves.
fn answer(mut socket: TcpStream, chunks: usize) {
    let body = "data: {\"a\":1}\n\n".repeat(chunks) + "data: [DONE]\n\n";
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut buffer = [0; 4096];
    // The client writes each request at once, so one read is one request.
    while socket.read(&mut buffer).is_ok_and(|count| count > 0) && socket.write_all(answer.as_bytes()).is_ok()
    {
    }
}

#[test]
fn a_small_load_on_the_mock_is_whole_beside_its_floor_m18() {
    let folder = tempfile::tempdir().unwrap();

    let output = load(folder.path(), &[STREAMS, ANSWERS].concat(), &["--rules", "3", "--json", "out.json"]);

    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let report: Value = serde_json::from_slice(&fs::read(folder.path().join("out.json")).unwrap()).unwrap();
    let subjects = |case: usize| report["cases"][case]["subjects"].as_array().unwrap().clone();
    let names = |case| subjects(case).iter().map(|subject| subject["name"].clone()).collect::<Vec<_>>();
    assert_eq!(
        (names(0), names(1)),
        (vec!["floor".into(), "mock".into(), "mock, 3 rules".into()], vec!["floor".into(), "mock".into()])
    );
    for subject in subjects(0).iter().chain(&subjects(1)) {
        assert!(subject["whole"].as_u64().unwrap() > 0, "{subject}");
        assert_eq!(subject["broken"], serde_json::json!({}));
        assert!(subject["figures"]["units_per_second"]["median"].as_f64().unwrap() > 0.0, "{subject}");
    }
}

#[test]
fn a_limit_that_breaks_ends_with_one_m18() {
    let folder = tempfile::tempdir().unwrap();
    let profile = format!("{STREAMS}limits = {{ rss_kib_per_connection_max = 0.001 }}\n");

    let output = load(folder.path(), &profile, &[]);

    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(
        told(&output).contains("FAILED        memory per connection in KiB, at most 0.001"),
        "{}",
        told(&output)
    );
}

#[test]
fn a_target_that_drops_the_last_chunk_is_counted_as_broken_m18() {
    let folder = tempfile::tempdir().unwrap();
    // The first connection is the recording; of the others every second one is short.
    let url = format!("http://{}", stand_in(|nth| 6 - nth % 2));

    let output = load(folder.path(), STREAMS, &["--target", &url]);

    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("x chunks were missing"), "{}", told(&output));
}

#[test]
fn a_target_that_never_answers_right_is_shown_with_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}", stand_in(|_| 7));

    let output = load(folder.path(), STREAMS, &["--target", &url]);

    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let told = told(&output);
    assert!(told.contains("there were too many chunks") && told.contains("HTTP/1.1 200 OK"), "{told}");
}

#[test]
fn a_target_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();

    let output = load(folder.path(), STREAMS, &["--target", "http://127.0.0.1:9"]);

    assert_eq!(output.status.code(), Some(4), "{}", told(&output));
    assert!(told(&output).contains("cannot ask `127.0.0.1:9`"), "{}", told(&output));
}

#[test]
fn a_profile_that_is_not_valid_is_shown_with_its_line() {
    let folder = tempfile::tempdir().unwrap();

    let output = load(folder.path(), &STREAMS.replace("2ms", "2"), &[]);

    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("line 10") && told(&output).contains("gap = \"2\""), "{}", told(&output));
}

#[test]
#[cfg(target_os = "linux")]
fn a_load_that_is_interrupted_leaves_no_child_behind_m18() {
    let folder = tempfile::tempdir().unwrap();
    let profile = STREAMS.replace("60ms", "30s");
    let mut run = command(folder.path(), &profile, &["--rules", "1"]).stderr(Stdio::piped()).spawn().unwrap();
    let (id, mut log) = (run.id(), BufReader::new(run.stderr.take().unwrap()).lines());
    assert!(log.by_ref().map_while(Result::ok).any(|line| line.contains("round 1")), "the load never began");
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    assert_eq!(children.split_whitespace().count(), 3, "floor and two mocks: {children}");

    Command::new("kill").args(["-s", "INT", &id.to_string()]).status().unwrap();

    assert_eq!(run.wait().unwrap().code(), Some(130));
    let alive = |child: &&str| Path::new(&format!("/proc/{child}/stat")).exists();
    assert_eq!(children.split_whitespace().filter(alive).count(), 0);
}
