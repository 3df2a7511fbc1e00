//! Users whose sockets are lost in the middle of an answer, on a server that keeps what they miss, and behind a relay that
//! does not.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
};

use super::{HEAD, IMPATIENT, Loaded, SETTINGS, group, load, running};
use crate::support::{
    port::free,
    served::{Served, serve},
};

const NEWER: &str = "protocol = \"chat.v1\"\n";

/// What a relay does to frames of the server, on sockets that take up a stream.
#[derive(Clone, Copy, Debug)]
enum Relay {
    LosesSnapshots,
    LosesQuestions,
    LosesEnds,
    TellsEndsTwice,
    KnowsNoPlace,
}

impl Relay {
    /// Stands before a server; whoever listens at the address that is returned gets what this leaves of its frames.
    fn before(self, server: SocketAddr) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for client in listener.incoming().map(Result::unwrap) {
                let server = TcpStream::connect(server).unwrap();
                let (mut asks, mut asked) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || {
                    // A side that has gone is nothing to a relay.
                    let _ = io::copy(&mut asks, &mut asked);
                    let _ = asked.shutdown(Shutdown::Both);
                });
                thread::spawn(move || {
                    let _ = self.tell(server, &client);
                    let _ = client.shutdown(Shutdown::Both);
                });
            }
        });
        address
    }

    fn tell(self, mut server: TcpStream, mut client: &TcpStream) -> io::Result<()> {
        let head = head(&mut server)?;
        client.write_all(&head)?;
        if !head.starts_with(b"HTTP/1.1 101") {
            return io::copy(&mut server, &mut client).map(drop);
        }
        let mut is_resumed = false;
        loop {
            let (first, payload) = frame(&mut server)?;
            let text = String::from_utf8_lossy(&payload);
            is_resumed |= text.contains(r#""recovered":true"#);
            for payload in self.leaves(&text, is_resumed).unwrap_or_else(|| vec![payload.clone()]) {
                client.write_all(&framed(first, &payload))?;
            }
        }
    }

    /// Returns what is told in the place of a frame; `None` of one that is told as it is.
    fn leaves(self, text: &str, is_resumed: bool) -> Option<Vec<Vec<u8>>> {
        let is = |kind: &str| is_resumed && text.contains(&format!(r#""type":"{kind}""#));
        match self {
            Self::LosesSnapshots if is("snapshot") => Some(Vec::new()),
            Self::LosesQuestions if is("message") && text.contains(r#""role":"user""#) => Some(Vec::new()),
            Self::LosesEnds if is("done") => Some(Vec::new()),
            Self::TellsEndsTwice if is("done") => Some(vec![text.into(), text.into()]),
            Self::KnowsNoPlace if is("welcome") => {
                Some(vec![text.replace(r#""recovered":true"#, r#""recovered":false"#).into()])
            }
            _ => None,
        }
    }
}

/// Reads a head of HTTP.
fn head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(head)
}

/// Reads a frame of a server: its first byte, and what it holds (RFC 6455, section 5.2).
fn frame(stream: &mut TcpStream) -> io::Result<(u8, Vec<u8>)> {
    let mut begin = [0; 2];
    stream.read_exact(&mut begin)?;
    let length = match begin[1] {
        126 => {
            let mut length = [0; 2];
            stream.read_exact(&mut length)?;
            usize::from(u16::from_be_bytes(length))
        }
        127 => return Err(io::Error::other("a frame of 64 KiB and more")),
        short => usize::from(short),
    };
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload)?;
    Ok((begin[0], payload))
}

fn framed(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    let mut framed = vec![first];
    match u8::try_from(length) {
        Ok(short) if short < 126 => framed.push(short),
        _ => framed.extend([&[126][..], &length.to_be_bytes()].concat()),
    }
    [framed, payload.to_vec()].concat()
}

/// Loads the reference server behind a relay.
fn behind(relay: Relay) -> Loaded {
    let (folder, llm) = (tempfile::tempdir().unwrap(), free());
    let database = format!("sqlite:{}", folder.path().join("chat.db").display());
    let server = Served::start(serve(&database, &format!("http://{llm}")));
    let target = running(relay.before(server.address), llm, "capabilities = [\"chat-v1\"]\n");
    let commuters = group("commuters", 2, "chat = { every = \"1s\", tunnel = \"500ms\" }");
    // Some of each answer is missed, and however slow the machine is, it goes on behind the tunnel.
    let head = HEAD.replace("gap = \"2ms\"", "gap = \"400ms\"");

    load(&format!("{IMPATIENT}{NEWER}{head}{commuters}"), Some(&target), &[])
}

#[test]
fn whoever_loses_the_network_in_an_answer_reads_it_whole_after_all_l3() {
    let groups = [
        // Some answers go on behind the tunnel, others have ended in it.
        group("commuters", 4, "chat = { every = \"500ms\", tunnel = \"1ms\" }"),
        group("travellers", 4, "chat = { every = \"500ms\", tunnel = \"100ms\" }"),
        group("restless", 2, "chat = { every = \"500ms\", tunnel = \"5ms\", reconnects = true }"),
    ];

    let loaded = load(&format!("{NEWER}{HEAD}{SETTINGS}{}", groups.concat()), None, &[]);

    assert!(loaded.told().contains("promises broken: 0\nverdict: held"), "{}", loaded.told());
    assert!(loaded.figure("turns") > 0.0 && loaded.figure("refused") < 1.0, "{}", loaded.told());
    assert!(loaded.figure("count(resume)") > 0.0, "{}", loaded.told());
}

#[test]
fn a_server_that_loses_or_doubles_what_was_missed_is_accused_of_that_alone_l3() {
    let cases: [(Relay, &[&str]); 4] = [
        (Relay::LosesSnapshots, &["whole-text"]),
        (Relay::LosesQuestions, &["no-gap"]),
        (Relay::LosesEnds, &["ended", "no-gap"]),
        (Relay::TellsEndsTwice, &["one-end", "no-gap"]),
    ];
    let accused = cases.map(|(relay, promises)| thread::spawn(move || (behind(relay), promises)));

    for (loaded, promises) in accused.map(|case| case.join().unwrap()) {
        let broken = loaded.report()["promises"].as_object().unwrap().clone();
        assert_eq!(broken.keys().collect::<Vec<_>>(), promises, "{}", loaded.told());
    }
}

#[test]
fn a_stream_that_is_not_taken_up_is_told_as_a_refusal_and_breaks_no_promise_l3() {
    let loaded = behind(Relay::KnowsNoPlace);

    let report = loaded.report();
    assert!(report["refused"]["not_recovered"].as_u64().is_some_and(|times| times > 0), "{}", loaded.told());
    assert_eq!(report["promises"], serde_json::json!({}), "{}", loaded.told());
}

#[test]
fn a_tunnel_that_no_turn_could_pass_is_refused_l3() {
    let commuter = group("a", 1, "chat = { every = \"1s\", tunnel = \"3s\" }");
    let long = load(&format!("{IMPATIENT}{NEWER}{HEAD}{commuter}"), None, &[]);

    assert_eq!(long.output.status.code(), Some(2), "{}", long.told());
    assert!(long.told().contains("half of `patience` at most"), "{}", long.told());

    let loaded =
        load(&format!("{HEAD}{}", group("a", 1, "chat = { every = \"1s\", tunnel = \"1ms\" }")), None, &[]);

    assert_eq!(loaded.output.status.code(), Some(2), "{}", loaded.told());
    assert!(loaded.told().contains("`tunnel` needs `--protocol chat.v1`"), "{}", loaded.told());
}
