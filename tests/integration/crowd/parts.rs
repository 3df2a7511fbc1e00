//! A load in parts: several processes play it, and their reports are added up.

use std::{fs, net::TcpListener, path::PathBuf, process::Command, time::Duration};

use serde_json::Value;

use super::{HEAD, IMPATIENT, Loaded, group, load, running, talkers};
use crate::support::{
    metronome::{Beat, Metronome},
    port::free,
    standin::{Defect, StandIn},
};

/// Runs a profile on a target that keeps time in two processes and, at the same time, in one.
fn in_parts_and_whole(profile: &str, target: &str) -> [Loaded; 3] {
    let parts = [&["--part", "0/2"][..], &["--part", "1/2"], &[]];
    // Nobody needs the mock: the chat answers by itself.
    let mock = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = mock.local_addr().unwrap().to_string();
    std::thread::scope(|scope| {
        let place = place.as_str();
        let run = |part: &'static [&'static str]| {
            move || load(profile, Some(target), &[part, &["--mock", place]].concat())
        };
        parts.map(|part| scope.spawn(run(part))).map(|running| running.join().unwrap())
    })
}

#[tokio::test]
async fn two_processes_merged_are_one_process_l8() {
    let delay = Duration::from_millis(100);
    let chat = Metronome::start(Beat { delay, every: Duration::from_hours(1), pause: Duration::ZERO }).await;
    let target = running(chat.address, free(), "auth = \"none\"\n");
    let does = "chat = { arrival = \"closed\", every = \"20ms\" }";
    let profile = format!(
        "thresholds = [\"turns >= 10\"]\n{}{}",
        HEAD.replace("pieces = 6", "pieces = 1"),
        group("talkers", 6, does)
    );
    let [one, two, whole] =
        tokio::task::spawn_blocking(move || in_parts_and_whole(&profile, &target)).await.unwrap();

    let files = [one.path("run.json"), two.path("run.json")];
    let merge = |files: &[PathBuf]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
        command.args(["compare", "--merge", "--json"]).args(files).output().unwrap()
    };
    let merged = merge(&files);

    let told = String::from_utf8_lossy(&merged.stdout).into_owned();
    assert_eq!(merged.status.code(), Some(0), "{told} {}", String::from_utf8_lossy(&merged.stderr));
    let merged: Value = serde_json::from_str(&told).unwrap();
    let turns = |report: &Value| report["figures"]["turns"].as_f64().unwrap();
    assert_eq!(turns(&merged).to_bits(), (turns(&one.report()) + turns(&two.report())).to_bits(), "{told}");
    assert_eq!((&merged["users"], &merged["figures"]["sockets"]), (&Value::from(6), &Value::from(6.0)));
    assert_eq!(one.report()["users"], 3, "{}", one.told());
    let p50 = |report: &Value| report["figures"]["p50(turn.whole.sent)"].as_f64().unwrap();
    // To the bucket is what is added (a test of the sums says so); the rest is what the machine adds to each process.
    assert!((p50(&merged) / p50(&whole.report()) - 1.0).abs() < 0.3, "{told} against {}", whole.told());

    let lacking = merge(&[files[0].clone(), files[0].clone()]);
    assert_eq!(lacking.status.code(), Some(2));
    let told = String::from_utf8_lossy(&lacking.stderr);
    assert!(told.contains("the parts are 0, 0; each of 0 to 1 is needed once"), "{told}");
}

/// The arguments of the manifest's generators, as the cluster fills them.
fn arguments_of_the_manifest() -> Vec<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/load/kubernetes.yaml");
    let text = fs::read_to_string(file).unwrap();
    let line =
        text.lines().find_map(|line| line.trim().strip_prefix("args: ").filter(|it| it.contains("--part")));
    let filled =
        line.unwrap().replace("$(JOB_COMPLETION_INDEX)", "2").replace("$BEGIN", "2030-01-01T00:00:00Z");
    serde_json::from_str(&filled).unwrap()
}

#[test]
fn the_manifest_for_a_cluster_asks_for_what_the_program_takes_l8() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));

    let output = command.args(arguments_of_the_manifest()).arg("--script").output().unwrap();

    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("[[rules]]"));
}

#[tokio::test]
async fn a_mock_that_runs_elsewhere_answers_by_the_script_that_is_printed_l8() {
    let profile = format!("{IMPATIENT}{HEAD}{}", talkers());
    let printed = load(&profile, None, &["--script"]);
    let script = String::from_utf8(printed.output.stdout.clone()).unwrap();
    let script = mock_deepseek::Script::from_toml(&script).unwrap();
    let mock = mock_deepseek::MockDeepSeek::builder().script(script).start().await.unwrap();
    let stranger = StandIn::start(mock.address(), Defect::None).await;
    let target = running(stranger.address, mock.address(), "");
    let place = mock.address().to_string();

    let loaded = tokio::task::spawn_blocking(move || load(&profile, Some(&target), &["--mock", &place]));
    let loaded = loaded.await.unwrap();

    assert!(loaded.told().contains("promises broken: 0\nverdict: held"), "{}", loaded.told());
    assert!(
        loaded.figure("turns") > 0.0 && loaded.figure("count(floor.first_token)") > 0.0,
        "{}",
        loaded.told()
    );
    let alone = load(&format!("{HEAD}{}", talkers()), None, &["--part", "0/2"]);
    assert_eq!(alone.output.status.code(), Some(2), "{}", alone.told());
    assert!(alone.told().contains("all parts of a load have one target and one mock"), "{}", alone.told());
    let past = load(&format!("{HEAD}{}", talkers()), None, &["--begin", "2020-01-01T00:00:00Z"]);
    assert_eq!(past.output.status.code(), Some(2), "{}", past.told());
    assert!(past.told().contains("take a later time for `--begin`"), "{}", past.told());
}
