//! Runs the program of an SDK against mocks.
//!
//! Invariant: it ends. The programs bound each task and all of them together by themselves.

use std::{
    env,
    io::Write as _,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mock_deepseek::{DeadEnd, Exchange, MockDeepSeek, Script, Tls};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::{Run, Sdk, Seen, Server, Task};
use crate::support::absence;

/// What the mock says in all tasks whose script says nothing else. Some of its characters have two bytes and more; they
/// stand at the end, so that no cut in the middle of a body falls into one by chance.
pub(super) const TEXT: &str =
    "Week twelve: the baby is as big as a lime. Fish is fine, if it is done. ¡Salmón! — “Sí”.";

/// What listens, or does not.
enum Host {
    Mock(MockDeepSeek),
    DeadEnd(DeadEnd),
}

impl Host {
    async fn start(task: &Task, tls: &Tls) -> Self {
        let builder = MockDeepSeek::builder().api(task.api);
        let (builder, script) = match &task.server {
            Server::Mock(script) => (builder, script),
            Server::Secure(script) => (builder.tls(tls.clone()), script),
            Server::DeadEnd(fault) => {
                let address = (Ipv4Addr::LOCALHOST, 0).into();
                return Self::DeadEnd(DeadEnd::open(fault, address).await.unwrap());
            }
        };
        let script =
            Script::from_toml(script).unwrap_or_else(|error| panic!("task `{}`: {error}", task.name));
        Self::Mock(builder.script(script).start().await.unwrap())
    }

    fn url(&self) -> String {
        match self {
            Self::Mock(mock) => mock.url(),
            Self::DeadEnd(dead_end) => dead_end.url().to_owned(),
        }
    }

    fn journal(&self) -> Vec<Exchange> {
        match self {
            Self::Mock(mock) => mock.journal(),
            Self::DeadEnd(_) => Vec::new(),
        }
    }
}

/// Runs the program of an SDK to its end, if it is here.
pub(super) fn run(sdk: Sdk, tasks: &[Task]) -> Option<Run> {
    let mut program = command(sdk)?;
    let tls = Tls::own().unwrap();
    let mut certificate = NamedTempFile::new().unwrap();
    certificate.write_all(tls.certificate().as_bytes()).unwrap();
    program.env("SDK_CERTIFICATE", certificate.path()).env("NODE_EXTRA_CA_CERTS", certificate.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut hosts = Vec::new();
        for task in tasks {
            hosts.push(Host::start(task, &tls).await);
        }
        let list = tasks.iter().zip(&hosts).map(|(task, host)| {
            json!({
                "name": task.name, "call": task.call, "arguments": task.arguments, "url": host.url(), "text": TEXT,
            })
        });
        let list = list.collect::<Value>().to_string();
        let output = tokio::task::spawn_blocking(move || output(program, &list)).await.unwrap();
        let mut said = said(&output);
        let seen = tasks.iter().zip(hosts).map(|(task, host)| {
            let saw = said.remove(&task.name).unwrap_or_else(|| panic!("{sdk}: nothing about `{}`", task.name));
            (task.name.clone(), Seen { saw, exchanges: host.journal() })
        });
        Some(seen.collect())
    })
}

/// Returns what starts the program, or says what is missing.
fn command(sdk: Sdk) -> Option<Command> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let folder = root.join(target).join("sdk");
    let (folder, interpreter, program) = match sdk {
        Sdk::Python => (folder.join("python"), folder.join("python/bin/python"), "run.py"),
        Sdk::Node => (folder.join("node"), "node".into(), "run.mjs"),
    };
    let runs = Command::new(&interpreter).arg("--version").output().is_ok();
    if !runs || !folder.join("installed").exists() {
        absence::skip("sdk", &format!("no {sdk} in {}", folder.display()), "run ci/setup-sdk");
        return None;
    }
    let mut command = Command::new(interpreter);
    command.arg(root.join("tests/sdk").join(program)).env("SDK_FOLDER", folder);
    // A resolver that does not answer must not look like a model that does not.
    command.env("RES_OPTIONS", "timeout:1 attempts:1");
    command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
    Some(command)
}

/// Runs the program to its end.
fn output(mut program: Command, input: &str) -> String {
    let mut child = program.spawn().unwrap_or_else(|error| panic!("{program:?} does not start: {error}"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program:?} ended with {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Returns what the program said of each task.
fn said(output: &str) -> std::collections::BTreeMap<String, Value> {
    let lines = output.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| (line["name"].as_str().unwrap().to_owned(), line["saw"].clone())).collect()
}
