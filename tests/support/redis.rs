//! A Redis of a test's own, by a ladder: the programs found on this machine, or none. Then the test says that it was
//! skipped, and fails if `GAUNTLET_REQUIRE` lists `redis`.

use std::{
    net::{SocketAddr, TcpStream},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use super::{absence, port};

/// Runs a Redis that keeps nothing until its input ends, which the system closes with the process that started it.
const KEEPER: &str = r#"
    redis-server --bind 127.0.0.1 --port "$1" --save "" --appendonly no --daemonize no >/dev/null 2>&1 &
    cat >/dev/null
    kill -9 $!
"#;

/// A Redis. It ends when it is dropped.
pub(crate) struct Redis {
    address: SocketAddr,
    keeper: Option<Child>,
}

impl Redis {
    /// Starts one; `None` where none is installed and none is required.
    pub(crate) fn start() -> Option<Self> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            absence::skip("redis", "no Redis", "install Debian's package `redis-server`");
            return None;
        }
        let mut redis = Self { address: port::free(), keeper: None };
        redis.start_again();
        Some(redis)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Starts it at the same address, empty, and waits until it listens.
    pub(crate) fn start_again(&mut self) {
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "sh", &self.address.port().to_string()]).process_group(0);
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        self.keeper = Some(keeper.spawn().unwrap());
        while TcpStream::connect(self.address).is_err() {
            std::thread::yield_now();
        }
    }

    /// Kills it, and waits until nobody listens.
    pub(crate) fn kill(&mut self) {
        let Some(mut keeper) = self.keeper.take() else { return };
        drop(keeper.stdin.take());
        keeper.wait().unwrap();
        while TcpStream::connect(self.address).is_ok() {
            std::thread::yield_now();
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
