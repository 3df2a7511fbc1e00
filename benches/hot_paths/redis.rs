//! A Redis of the benches' own, on a socket in a folder of its own; none where no `redis-server` is installed.

#![expect(clippy::print_stdout, reason = "whoever reads the figures must know which are missing")]

use std::{
    os::unix::{net::UnixStream, process::CommandExt as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// Runs a Redis that keeps nothing until its input ends, which the system closes with the process that started it.
const KEEPER: &str = r#"
    redis-server --port 0 --unixsocket "$1" --save "" --appendonly no --daemonize no >/dev/null 2>&1 &
    cat >/dev/null
    kill -9 $!
"#;

/// A Redis. It ends when it is dropped.
pub(crate) struct Redis {
    folder: TempDir,
    keeper: Child,
}

impl Redis {
    /// Starts one and waits until it listens.
    pub(crate) fn start() -> Option<Self> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            println!("limiter: the benches of Redis are left out, for there is no `redis-server` here");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "sh"]).arg(socket(&folder)).process_group(0);
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let redis = Self { keeper: keeper.spawn().unwrap(), folder };
        while UnixStream::connect(socket(&redis.folder)).is_err() {
            std::thread::yield_now();
        }
        Some(redis)
    }

    pub(crate) fn url(&self) -> String {
        format!("unix://{}", socket(&self.folder).display())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().unwrap();
    }
}

fn socket(folder: &TempDir) -> PathBuf {
    folder.path().join("redis.sock")
}
