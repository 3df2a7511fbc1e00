//! `gauntlet load` with users of a chat, from outside: on the reference server, on chats of strangers that are broken in
//! one way each, and on one that keeps time.

mod dying;
mod newer;
mod parts;
mod tunnels;

use std::{
    fs,
    net::SocketAddr,
    process::{Command, Output},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    metronome::{Beat, Metronome},
    port::free,
    postgres::Fresh,
    schema::strict_contradictions,
    standin::{Defect, StandIn},
};

/// A profile without its groups.
const HEAD: &str = "about = \"small\"\nwarm_up = \"0s\"\nduration = \"2s\"\n\
    [model]\npieces = 6\ngap = \"2ms\"\n";

/// For strangers who never end a turn: nobody waits a minute to accuse them.
const IMPATIENT: &str = "patience = \"5s\"\n";

/// Settings of the reference server under which nobody is stopped.
const SETTINGS: &str = "[settings]\nlimits.http.mode = \"off\"\nlimits.user.mode = \"off\"\n\
    limits.login.mode = \"off\"\nauth.argon2_memory_kib = 64\nauth.argon2_passes = 1\n";

/// Returns a group of so many users who do this.
fn group(name: &str, users: usize, does: &str) -> String {
    format!("[[groups]]\nname = \"{name}\"\nusers = {users}\ndoes = {{ {does} }}\n")
}

/// A load that was run, with its report.
struct Loaded {
    output: Output,
    folder: TempDir,
}

/// Runs a profile of this text; `target` is the text of a target file, if it is not the reference server.
fn load(profile: &str, target: Option<&str>, arguments: &[&str]) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("small.toml"), profile).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
    command.args(["load", "./small.toml", "--json", "run.json"]).args(arguments).current_dir(folder.path());
    if let Some(target) = target {
        fs::write(folder.path().join("target.toml"), target).unwrap();
        command.args(["--target", "target.toml"]);
    }
    Loaded { output: command.output().unwrap(), folder }
}

impl Loaded {
    fn told(&self) -> String {
        [self.output.stdout.as_slice(), &self.output.stderr].map(String::from_utf8_lossy).concat()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn report(&self) -> Value {
        let text = fs::read(self.path("run.json")).unwrap_or_else(|_| panic!("{}", self.told()));
        serde_json::from_slice(&text).unwrap()
    }

    fn figure(&self, name: &str) -> f64 {
        self.report()["figures"][name].as_f64().unwrap_or_else(|| panic!("no {name}: {}", self.told()))
    }
}

/// A target that runs already, and asks the model at `llm`.
fn running(address: SocketAddr, llm: SocketAddr, auth: &str) -> String {
    format!(
        "schema = 1\nname = \"stranger\"\nkind = \"chat-v0\"\nurl = \"http://{address}\"\nllm = \"{llm}\"\n{auth}"
    )
}

/// Loads a stand-in with a defect, and returns what was broken how often.
async fn accused(defect: Defect, group: String) -> Value {
    let llm = free();
    let stranger = StandIn::start(llm, defect).await;
    let target = running(stranger.address, llm, "");
    let loaded =
        tokio::task::spawn_blocking(move || load(&format!("{IMPATIENT}{HEAD}{group}"), Some(&target), &[]));
    let loaded = loaded.await.unwrap();

    let broken = loaded.report()["promises"].clone();
    let expected = i32::from(!broken.as_object().unwrap().is_empty());
    assert_eq!(loaded.output.status.code(), Some(expected), "{}", loaded.told());
    broken
}

fn talkers() -> String {
    group("talkers", 4, "chat = { every = \"400ms\" }")
}

fn writers() -> String {
    group("writers", 4, "facts = { people = 1, writes = 20, how = \"append\" }")
}

/// A limit that only flooders reach, however slow the machine is; a minute gives them but one message more.
const FLOOD_LIMIT: &str = "limits.messages.rate = 1\nlimits.messages.burst = 15\n";

/// Some of all who have a socket. Under [`FLOOD_LIMIT`] 170 of their messages are refused.
fn everybody() -> String {
    let emergency = "chat = { every = \"1s\", message = \"I am bleeding heavily\", emergency = true }";
    let groups = [
        group("talkers", 4, "chat = { arrival = \"poisson\", every = \"1s\" }"),
        group("restless", 2, "chat = { every = \"1s\", reconnects = true }"),
        group("flooders", 2, "flood = { messages = 100, burst = 15, refill = \"60s\" }"),
        group("emergencies", 2, emergency),
        group("silent", 4, "idle = {}"),
    ];
    groups.concat()
}

#[test]
fn a_small_crowd_on_the_reference_server_breaks_no_promise_l1_l2_l3_l6_l7() {
    let groups = [
        everybody(),
        // More than a user may have sockets: writers need none.
        group("writers", 24, "facts = { people = 1, writes = 2, how = \"append\" }"),
    ];
    let profile = format!("{HEAD}{SETTINGS}{FLOOD_LIMIT}{}", groups.concat());

    let loaded = load(&profile, None, &["--duration", "4s", "--report", "out"]);

    assert_eq!(loaded.output.status.code(), Some(0), "{}", loaded.told());
    assert!(loaded.told().contains("promises broken: 0\nverdict: held"), "{}", loaded.told());
    assert_eq!(loaded.report()["refused"]["rate_limited"], 170, "{}", loaded.told());
    for figure in ["turns", "facts", "count(safety)", "count(connect)", "cpu(target)", "rss(target)"] {
        assert!(loaded.figure(figure) > 0.0, "{figure}: {}", loaded.told());
    }
    for file in ["load.html", "load.json", "load.csv", "load.prom", "goose.html"] {
        assert!(!fs::read_to_string(loaded.path("out").join(file)).unwrap().is_empty(), "{file}");
    }
    let schema =
        Command::new(env!("CARGO_BIN_EXE_gauntlet")).args(["schema", "--of", "load"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    assert_eq!(strict_contradictions((&schema, &schema), &loaded.report()), [""; 0]);
    let goose = fs::read_to_string(loaded.path("out/goose.html")).unwrap();
    assert!(goose.contains("turn") && goose.contains("flood"), "goose kept its own count");
}

#[tokio::test]
async fn a_sound_stranger_is_not_accused_l3() {
    assert_eq!(accused(Defect::None, talkers() + &writers()).await, serde_json::json!({}));
}

#[tokio::test]
async fn each_broken_stranger_is_accused_of_what_it_breaks_l2_l3() {
    let cases = [
        (Defect::MixesUsers, "own-frames", talkers()),
        (Defect::Doubles, "whole-text", talkers()),
        (Defect::Reorders, "whole-text", talkers()),
        (Defect::EndsTwice, "one-end", talkers()),
        (Defect::LosesTheEnd, "ended", talkers()),
        (Defect::LastWriterWins, "keeps-facts", writers()),
        (Defect::DropsWrites, "keeps-facts", writers()),
    ];
    let accused = cases.map(|(defect, promise, group)| async move {
        let broken = accused(defect, group).await;
        assert!(broken[promise].as_u64().is_some_and(|times| times > 0), "{defect:?}: {broken}");
    });

    join_all(accused).await;
}

#[tokio::test]
async fn a_limit_that_lets_another_number_through_than_it_should_is_caught_by_the_account_l1() {
    let flood = |burst| {
        let does = format!("flood = {{ messages = 40, burst = {burst}, refill = \"6s\" }}");
        group("flooders", 2, &does)
    };

    assert_eq!(accused(Defect::None, flood(10)).await, serde_json::json!({}));
    // The stranger lets ten through, and should have let nine.
    assert_eq!(accused(Defect::None, flood(9)).await, serde_json::json!({"exact-limit": 2}));
}

/// Loads a chat that keeps time, open or closed, and returns what was found.
async fn timed(beat: Beat, arrival: &str) -> Loaded {
    let chat = Metronome::start(beat).await;
    let target = running(chat.address, free(), "auth = \"none\"\n");
    let head = HEAD.replace("\"2s\"", "\"6s\"").replace("pieces = 6", "pieces = 1");
    let does = format!("chat = {{ arrival = \"{arrival}\", every = \"20ms\" }}");
    let profile = head + &group("talkers", 4, &does);
    tokio::task::spawn_blocking(move || load(&profile, Some(&target), &[])).await.unwrap()
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_known_delay_is_found_as_it_is_l4() {
    let delay = Duration::from_millis(100);
    let beat = Beat { delay, every: Duration::from_hours(1), pause: Duration::ZERO };

    let loaded = timed(beat, "closed").await;

    let p50 = loaded.figure("p50(turn.first_token.sent)");
    // Never less, and more only by what the machine adds.
    assert!((0.0999..1.0).contains(&p50), "{p50}: {}", loaded.told());
}

#[tokio::test]
async fn a_server_that_pauses_for_a_second_shows_it_from_when_questions_were_due_l4() {
    let beat = Beat { delay: Duration::ZERO, every: 5 * SECOND, pause: SECOND };

    let loaded = timed(beat, "steady").await;

    // Of about a thousand questions four met the pause; two hundred were kept back by it.
    let (due, sent) = (loaded.figure("p99(turn.first_token)"), loaded.figure("p99(turn.first_token.sent)"));
    assert!((0.8..5.0).contains(&due), "{due}: {}", loaded.told());
    assert!(sent < due / 2.0, "from the send it hides: {sent} against {due}: {}", loaded.told());
}

#[test]
fn a_threshold_that_breaks_ends_with_one_and_a_baseline_tells_what_became_worse_l5() {
    let profile = format!("{HEAD}{SETTINGS}{}", group("silent", 4, "idle = {}"));
    let loaded = load(&profile, None, &["--threshold", "rss(target) < 1MiB"]);

    assert_eq!(loaded.output.status.code(), Some(1), "{}", loaded.told());
    assert!(loaded.told().contains("FAILED        rss(target) < 1MiB: "), "{}", loaded.told());

    // The same run, had it used a third of the memory before.
    let mut before = loaded.report();
    let third = loaded.figure("rss(target)") / 3.0;
    before["figures"]["rss(target)"] = Value::from(third);
    fs::write(loaded.path("before.json"), before.to_string()).unwrap();
    let shown = loaded.path("before.json").display().to_string();

    let again = load(&profile, None, &["--baseline", &shown]);

    assert_eq!(again.output.status.code(), Some(1), "{}", again.told());
    assert!(again.told().contains("FAILED        rss(target) as before: at most "), "{}", again.told());
}

#[test]
fn options_of_the_other_kind_of_profile_are_refused_with_the_reason() {
    let profile = format!("{HEAD}{}", group("silent", 1, "idle = {}"));

    let loaded = load(&profile, None, &["--rules", "3"]);

    assert_eq!(loaded.output.status.code(), Some(2), "{}", loaded.told());
    assert!(loaded.told().contains("`--rules` is of a profile with cases"), "{}", loaded.told());
    assert!(!loaded.path("run.json").exists());
}

#[test]
fn a_load_goes_up_step_by_step_and_names_the_first_that_breaks_l5() {
    let profile = format!("{HEAD}{SETTINGS}{}", group("silent", 8, "idle = {}")).replace("\"2s\"", "\"1s\"");

    let loaded = load(&profile, None, &["--steps", "4", "--threshold", "sockets < 4", "--report", "out"]);

    assert_eq!(loaded.output.status.code(), Some(1), "{}", loaded.told());
    let limit = "step 2 of 4 users is the first to break: sockets < 4: 4; 2 users were carried";
    let page = fs::read_to_string(loaded.path("out/load.html")).unwrap().replace("&lt;", "<");
    assert!(loaded.told().contains(limit) && page.contains(limit), "{}", loaded.told());
    let report = loaded.report();
    assert_eq!(report["steps"].as_array().unwrap().len(), 2, "no further step is taken: {}", loaded.told());
    assert_eq!((&report["users"], &report["figures"]["sockets"]), (&Value::from(4), &Value::from(4.0)));

    let first = load(&profile, None, &["--steps", "4", "--threshold", "sockets < 2"]);

    let limit = "step 1 of 2 users is the first to break: sockets < 2: 2; 0 users were carried";
    assert!(first.told().contains(limit), "{}", first.told());
}

#[test]
fn who_thinks_for_long_answers_pings_meanwhile_l3() {
    let pings = "http.ping_interval = \"500ms\"\nhttp.pong_timeout = \"450ms\"\n";
    let thinkers = group("thinkers", 4, "chat = { every = \"4s\" }");
    let profile = format!("{HEAD}{SETTINGS}{pings}{thinkers}");

    let loaded = load(&profile, None, &["--duration", "4s"]);

    assert!(loaded.told().contains("promises broken: 0\nverdict: held"), "{}", loaded.told());
}

#[test]
fn users_with_a_past_are_made_by_a_command_before_they_come_l3() {
    let past = "[past]\nmessages = 60\nfacts = 5\n";
    let does = "facts = { people = 2, writes = 3, how = \"append\" }";
    let profile = format!("{HEAD}{SETTINGS}{past}{}{}", talkers(), group("writers", 4, does));

    let loaded = load(&profile, None, &[]);

    assert!(loaded.told().contains("6 users are made"), "{}", loaded.told());
    assert!(loaded.told().contains("promises broken: 0\nverdict: held"), "{}", loaded.told());
    assert!(loaded.figure("turns") > 0.0 && loaded.figure("facts") > 0.0, "{}", loaded.told());

    // A stranger whose file names no such command has no users with a past.
    let unfit = load(&profile.replace(SETTINGS, ""), Some(&running(free(), free(), "")), &[]);

    assert_eq!(unfit.output.status.code(), Some(2), "{}", unfit.told());
    assert!(
        unfit.told().contains("`[seed]` of its file names a command that makes users"),
        "{}",
        unfit.told()
    );
}

/// The reference server on PostgreSQL; the file for a load on SQLite tells the rest.
fn on_postgres(url: &str) -> String {
    let usual = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/targets/load.toml")).unwrap();
    let sqlite = "sqlite:{scratch}/load.db";
    assert!(usual.contains(sqlite), "{usual}");
    usual.replace(sqlite, url)
}

#[tokio::test]
async fn a_crowd_on_postgresql_loses_no_fact_and_no_answer_l2_l3() {
    let Some(database) = Fresh::database().await else { return };
    let target = on_postgres(&database.url);
    let groups = [
        group("talkers", 4, "chat = { every = \"500ms\" }"),
        group("writers", 64, "facts = { people = 1, writes = 20, how = \"append\" }"),
    ];
    let profile = format!("{HEAD}{SETTINGS}{}", groups.concat());

    let loaded = tokio::task::spawn_blocking(move || load(&profile, Some(&target), &[])).await.unwrap();

    assert!(loaded.told().contains("promises broken: 0\nverdict: held"), "{}", loaded.told());
    assert!(loaded.figure("turns") > 0.0 && loaded.figure("facts") > 0.0, "{}", loaded.told());
    database.drop_database().await;
}

#[test]
fn a_target_that_does_not_go_with_the_load_is_told_all_that_it_lacks_l3() {
    let profile = format!("{HEAD}{SETTINGS}{}", group("silent", 1, "idle = {}"));
    let target = running(free(), free(), "");

    let unfit = load(&profile, Some(&target), &[]);
    let too_long = load(&profile, Some(&target), &["--duration", "11m"]);

    assert_eq!(unfit.output.status.code(), Some(2), "{}", unfit.told());
    for lacks in ["limits.http.mode = \"off\"   # it has \"enforce\"", "auth.argon2_passes = 1   # it has 2"]
    {
        assert!(unfit.told().contains(lacks), "{}", unfit.told());
    }
    assert_eq!(too_long.output.status.code(), Some(2), "{}", too_long.told());
    assert!(too_long.told().contains("write a time from 1ms to 10m"), "{}", too_long.told());
}
