//! `gauntlet mock` as a process: how it stops, what it holds, what it refuses.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
};

use serde_json::Value;

const MIB: usize = 1024 * 1024;

/// A running mock. Killed when dropped.
struct Mock {
    child: Child,
    out: BufReader<ChildStdout>,
    api: SocketAddr,
}

impl Mock {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gauntlet"))
            .args(["mock", "--port", "0", "--control-port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let api = line.trim().rsplit('/').next().unwrap().parse().unwrap();
        Self { child, out, api }
    }

    /// Returns where the control API listens.
    fn control(&mut self) -> SocketAddr {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.split("http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap()
    }

    fn signal(&self, name: &str) {
        let done = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Begins a request and reads until the answer has `needle`.
    fn ask(&self, fault: &str, needle: &str) -> TcpStream {
        let body = r#"{"model":"deepseek-flash","stream":true,"messages":[{"role":"user","content":"secret words"}]}"#;
        let head = format!(
            "POST /chat/completions HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-test\r\nx-mock-fault: {fault}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.api).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        read_until(&mut stream, needle);
        stream
    }

    fn wait(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        let mut told = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        (status, told)
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // It may have ended already.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn read_until(stream: &mut TcpStream, needle: &str) -> String {
    let (mut seen, mut buffer) = (String::new(), [0; 4096]);
    while !seen.contains(needle) {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "the connection ended before `{needle}`: {seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    seen
}

#[test]
fn a_signal_lets_an_answer_end_and_then_the_process_ends_m16() {
    let mock = Mock::start(&["--log-format", "json"]);
    let mut stream = mock.ask("stall;after_events=2;lasts=1s", "data: ");

    mock.signal("TERM");
    let rest = read_until(&mut stream, "data: [DONE]");
    let (status, told) = mock.wait();

    assert!(rest.contains("\"finish_reason\":\"stop\""), "{rest}");
    assert_eq!(status.code(), Some(0), "{told}");
    assert!(told.contains("answered 1 request") && !told.contains("cut"), "{told}");
}

#[test]
fn what_takes_longer_than_the_grace_is_cut_and_counted_m16() {
    let mock = Mock::start(&["--grace", "0"]);
    let mut stream = mock.ask("stall", "data: ");

    mock.signal("INT");
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    let (status, told) = mock.wait();

    assert_eq!(status.code(), Some(0), "{told}");
    assert!(told.contains("cut 1 answer"), "{told}");
}

#[test]
fn a_second_signal_ends_at_once_m16() {
    let mock = Mock::start(&["--grace", "3600"]);
    let stream = mock.ask("stall", "data: ");

    mock.signal("TERM");
    while TcpStream::connect(mock.api).is_ok() {}
    mock.signal("TERM");
    let (status, told) = mock.wait();

    drop(stream);
    assert_eq!(status.code(), Some(130), "{told}");
    assert!(told.contains("stopped at once, by a second signal"), "{told}");
}

#[test]
fn the_log_has_a_line_for_each_exchange_and_no_text_of_messages_m16() {
    let mock = Mock::start(&["--log-format", "json"]);
    drop(mock.ask("too-busy-503", "503"));

    mock.signal("TERM");
    let (_, told) = mock.wait();

    let line = told.lines().find(|line| line.contains("exchange ended")).unwrap();
    let fields = &serde_json::from_str::<Value>(line).unwrap()["fields"];
    assert_eq!(
        (&fields["path"], &fields["faults"], &fields["status"]),
        (&"/chat/completions".into(), &"too-busy-503".into(), &503.into())
    );
    assert!(fields["ms"].is_number() && fields["bytes"].is_number(), "{line}");
    assert!(!told.contains("secret words") && !told.contains("sk-test"), "{told}");
}

/// Returns the most memory that the process ever held, in bytes.
fn peak(mock: &Mock) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", mock.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[test]
#[cfg(target_os = "linux")]
fn a_body_of_64_mib_is_refused_while_memory_stays_bounded_m16() {
    let mock = Mock::start(&[]);
    drop(mock.ask("", "[DONE]"));
    let before = peak(&mock);
    let mut stream = TcpStream::connect(mock.api).unwrap();
    let head = format!(
        "POST /chat/completions HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-test\r\ncontent-length: {}\r\n\r\n",
        64 * MIB
    );

    stream.write_all(head.as_bytes()).unwrap();
    let chunk = vec![b'x'; MIB];
    // The refusal comes early; whoever does not read it may go on sending all the same.
    for _ in 0..64 {
        stream.write_all(&chunk).unwrap();
    }
    let answer = read_until(&mut stream, "}");

    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let grown = peak(&mock) - before;
    assert!(grown < 16 * MIB, "memory grew by {} MiB", grown / MIB);
}

/// Asks for the models on an open connection and reads the answer.
fn models(stream: &mut TcpStream) {
    stream.write_all(MODELS).unwrap();
    read_until(stream, "deepseek-v4-pro");
}

const MODELS: &[u8] = b"GET /models HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer sk-test\r\n\r\n";

#[test]
fn beyond_the_most_connections_one_waits_until_another_ends_m16() {
    let mock = Mock::start(&["--connections-max", "1"]);
    let mut first = TcpStream::connect(mock.api).unwrap();
    models(&mut first);
    let mut second = TcpStream::connect(mock.api).unwrap();
    second.write_all(MODELS).unwrap();

    (0..100).for_each(|_| models(&mut first));
    second.set_nonblocking(true).unwrap();
    let waits = second.read(&mut [0; 16]).unwrap_err();
    drop(first);
    second.set_nonblocking(false).unwrap();

    assert_eq!(waits.kind(), std::io::ErrorKind::WouldBlock);
    read_until(&mut second, "deepseek-v4-pro");
}

#[test]
fn the_longest_body_can_be_set_m16() {
    let mock = Mock::start(&["--body-max", "10"]);

    drop(mock.ask("", "length limit exceeded (10 bytes)"));
}

#[test]
fn a_thousand_connections_are_held_and_each_gets_its_answer_m16() {
    const CONNECTIONS: usize = 1000;
    let mut mock = Mock::start(&["--log-format", "off"]);
    let mut streams: Vec<_> = (0..CONNECTIONS).map(|_| TcpStream::connect(mock.api).unwrap()).collect();

    for stream in &mut streams {
        stream.write_all(MODELS).unwrap();
    }
    for stream in &mut streams {
        read_until(stream, "deepseek-v4-pro");
    }

    let mut control = TcpStream::connect(mock.control()).unwrap();
    control.write_all(b"GET /__mock/metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    read_until(&mut control, &format!("mock_connections_open {CONNECTIONS}\n"));
}

#[test]
fn a_taken_control_port_is_named_with_the_option_that_moves_it_m11() {
    let mut first = Mock::start(&[]);
    let port = first.control().port().to_string();

    let refused = Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .args(["mock", "--port", "0", "--control-port", &port])
        .output()
        .unwrap();

    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(4), "{told}");
    assert!(told.contains(&port) && told.contains("--control-port 0"), "{told}");
}
