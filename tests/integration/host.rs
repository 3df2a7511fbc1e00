//! What requests name as their host: what stands before many back ends, an ingress, tells them apart by it (S5).

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use crate::support::port;

/// Refuses each request, and keeps its head.
struct Refuser {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Refuser {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (address, heads) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let kept = Arc::clone(&heads);
        thread::spawn(move || {
            for mut socket in listener.incoming().map(Result::unwrap) {
                let (mut head, mut more) = (Vec::new(), [0; 4096]);
                while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                    match socket.read(&mut more) {
                        Ok(n) if n > 0 => head.extend_from_slice(&more[..n]),
                        _ => break,
                    }
                }
                // Somebody who only looked whether anybody listens has asked nothing.
                if !head.is_empty() {
                    kept.lock().unwrap().push(String::from_utf8(head).unwrap().to_lowercase());
                    let _ = socket.write_all(
                        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                    );
                }
            }
        });
        Self { address, heads }
    }

    /// Returns the heads of the requests that a command makes of this as the target `localhost`.
    fn asked(&self, target: &str, arguments: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let (port, llm) = (self.address.port(), port::free());
        let text =
            format!("schema = 1\nname = \"x\"\nurl = \"http://localhost:{port}\"\nllm = \"{llm}\"\n{target}");
        fs::write(folder.path().join("target.toml"), text).unwrap();
        let profile = "about = \"x\"\nwarm_up = \"0s\"\nduration = \"1s\"\n\
            [[groups]]\nname = \"silent\"\nusers = 1\ndoes = { idle = {} }\n\
            [[groups]]\nname = \"writer\"\nusers = 1\n\
            does = { facts = { people = 1, writes = 1, how = \"append\" } }\n";
        fs::write(folder.path().join("small.toml"), profile).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
        let output = command.args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(!output.status.success(), "{output:?}");
        std::mem::take(&mut *self.heads.lock().unwrap())
    }
}

#[test]
fn a_target_is_asked_by_its_name_on_every_way_in_s5() {
    let refuser = Refuser::start();
    let check = ["target", "check", "target.toml"];
    let load = ["load", "./small.toml", "--target", "target.toml"];
    let (signs_in, is_open) = ("kind = \"chat-v0\"\n", "kind = \"chat-v0\"\nauth = \"none\"\n");
    let started =
        "kind = \"chat-v0\"\n[start]\ncommand = [\"sleep\", \"60\"]\nhealth = \"/health\"\nwithin = \"1s\"\n";
    let ways: [(&str, &[&str], &str); 7] = [
        (signs_in, &check, "post /api/auth"),
        (is_open, &check, "get /ws/chat"),
        ("kind = \"openai\"\n", &check, "post /v1/chat/completions"),
        (signs_in, &load, "post /api/auth"),
        (is_open, &load, "get /ws/chat"),
        (is_open, &load, "get /api/users/me/facts"),
        (started, &check, "get /health"),
    ];

    for (target, arguments, way) in ways {
        let heads = refuser.asked(target, arguments);

        let host = format!("\r\nhost: localhost:{}\r\n", refuser.address.port());
        assert!(heads.iter().any(|head| head.starts_with(way)), "{way}: {heads:?}");
        assert!(heads.iter().all(|head| head.contains(&host)), "{way}: {heads:?}");
    }
}
