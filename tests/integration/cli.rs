//! The binary from outside: what it prints, what it writes, how it ends.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// Runs gauntlet in `folder`, without a terminal.
fn gauntlet(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gauntlet")).args(arguments).current_dir(folder).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_scenario_that_holds_ends_with_zero_and_leaves_every_report() {
    let folder = tempfile::tempdir().expect("a folder can be made");

    let output = gauntlet(folder.path(), &["run", "greeting_does_not_hide_an_emergency"]);

    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    let report = folder.path().join("target/gauntlet/report");
    for file in ["run.json", "junit.xml", "summary.md", "index.html"] {
        assert!(report.join(file).is_file(), "`{file}` is missing");
    }
}

#[test]
fn the_canary_is_red_in_exit_code_and_report_s10() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let canary = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/canary.toml");

    let output = gauntlet(folder.path(), &["run", canary, "--report", "."]);

    assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    assert!(
        fs::read_to_string(folder.path().join("junit.xml")).expect("there is a report").contains("<failure")
    );
}

#[test]
fn without_a_terminal_there_is_no_escape_sequence() {
    let folder = tempfile::tempdir().expect("a folder can be made");

    let output = gauntlet(folder.path(), &["run", "greeting_does_not_hide_an_emergency", "--report", "."]);

    assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b));
}

#[test]
fn a_log_level_that_cannot_be_read_is_told_and_silences_nothing() {
    for (variable, wrong, told) in [
        ("LOG_LEVEL", "inf", "LOG_LEVEL: `inf` is no level"),
        ("RUST_LOG", "server=loudly", "RUST_LOG: `server=loudly` is not understood"),
        ("LOG_LEVEL", "server[turn]=debug", "LOG_LEVEL: `server[turn]`: spans cannot be asked for"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
        command.args(["serve", "--database", "no database"]);
        for name in ["LOG_LEVEL", "RUST_LOG"] {
            command.env_remove(name);
        }

        let output = command.env(variable, wrong).output().unwrap();

        let log = String::from_utf8_lossy(&output.stderr);
        assert!(log.contains(told) && log.contains("`info` is taken"), "{log}");
    }
}

#[test]
fn the_seven_gaps_head_the_list() {
    let output = gauntlet(Path::new("."), &["list"]);

    let text = out(&output);
    for (line, number) in text.lines().zip(1..=7) {
        assert!(line.contains(&format!("gap {number}")), "{line}");
    }
}

#[test]
fn the_schema_of_a_run_is_json() {
    let output = gauntlet(Path::new("."), &["schema", "--of", "run"]);

    let schema: serde_json::Value = serde_json::from_str(&out(&output)).expect("it is JSON");
    assert_eq!(schema["title"], "Run");
}

/// A scenario that holds, or does not.
fn write_scenario(folder: &Path, ends: usize) {
    let text = format!(
        r#"
        schema = 1
        name = "a greeting is answered"
        hypothesis = "Somebody is there."
        tags = ["found"]
        users = [{{ name = "ana" }}]
        steps = [
            {{ connect = {{ device = "ana.phone" }} }},
            {{ send = {{ device = "ana.phone", text = "hello" }} }},
            {{ await = {{ frame = {{ device = "ana.phone", type = "done" }} }} }},
        ]
        [[expect]]
        id = "it has an end"
        sometimes = {{ on = {{ frame = {{ device = "ana.phone", type = "done" }} }}, exactly = {ends} }}
        "#
    );
    fs::write(folder.join("mine.toml"), text).unwrap();
}

#[test]
fn two_reports_are_compared_by_what_became_worse_s15() {
    let folder = tempfile::tempdir().unwrap();
    for (report, ends) in [("good", 1), ("bad", 2)] {
        write_scenario(folder.path(), ends);
        gauntlet(folder.path(), &["run", "mine.toml", "--report", report, "--format", "json"]);
    }

    let [worse, better, same, nothing] =
        [["good", "bad"], ["bad", "good"], ["good", "good"], ["good", "nowhere"]]
            .map(|[old, new]| gauntlet(folder.path(), &["compare", old, new]));

    assert_eq!(worse.status.code(), Some(1), "{}", out(&worse));
    assert!(out(&worse).contains("mine") && out(&worse).contains("it has an end"), "{}", out(&worse));
    assert_eq!(better.status.code(), Some(0), "{}", out(&better));
    assert!(out(&better).contains("mine"), "{}", out(&better));
    assert_eq!(same.status.code(), Some(0), "{}", out(&same));
    assert!(!out(&same).contains("mine"), "{}", out(&same));
    assert_eq!(nothing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("cannot read the report `nowhere`"));
}

#[test]
fn what_a_search_finds_is_written_proves_itself_and_is_never_written_over_s14() {
    let folder = tempfile::tempdir().unwrap();
    let search = ["run", "--explore", "1", "--seed", "44", "--part", "lost-in-a-crowd"];

    let found = gauntlet(folder.path(), &search);
    let again = gauntlet(folder.path(), &search);
    let proved = gauntlet(folder.path(), &["prove", "found.toml", "--seed", "44"]);

    assert_eq!(found.status.code(), Some(1), "{}", out(&found));
    assert!(out(&found).contains("steps are needed; `found.toml` holds them"), "{}", out(&found));
    assert_eq!(again.status.code(), Some(2), "{}", out(&again));
    assert!(String::from_utf8_lossy(&again.stderr).contains("`found.toml` is there already"));
    assert_eq!(proved.status.code(), Some(0), "{}", out(&proved));
    let wrongs: [&[&str]; 3] = [
        &["run", "--explore", "1", "smoke"],
        &["run", "--part", "lost-in-a-crowd"],
        &["run", "--explore", "0"],
    ];
    for wrong in wrongs {
        assert_eq!(gauntlet(folder.path(), wrong).status.code(), Some(2), "{wrong:?}");
    }
}

/// A settings file with these lines, in a folder of its own.
fn settings_file(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("chat.toml"), text).unwrap();
    folder
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn settings_that_are_sound_are_checked_in_few_words_f152() {
    let folder = settings_file("[http]\nlisten = \"127.0.0.1:9\"\n[limits.messages]\nrate = 20\n");

    let checked = gauntlet(folder.path(), &["config", "check", "--config", "chat.toml"]);

    assert_eq!((checked.status.code(), out(&checked).as_str()), (Some(0), ""));
    insta::assert_snapshot!(told(&checked), @"settings are valid");
}

#[test]
fn settings_that_are_not_known_or_make_no_sense_are_refused_by_name_f152() {
    let table = [
        ("[http]\nlistne = \"127.0.0.1:9\"\n", "unknown key `http.listne`", "did you mean `listen`?"),
        ("[limits.mesages]\nrate = 20\n", "unknown key `limits.mesages`", "--> chat.toml:1:9"),
        ("[limits.messages]\nrate = 0\n", "`limits.messages.rate` is wrong", "--> chat.toml:2:8"),
        ("[http]\nlisten = 8080\n", "`http.listen` is wrong", "--> chat.toml:2:10"),
    ];

    for (file, what, how) in table {
        let folder = settings_file(file);
        let checked = gauntlet(folder.path(), &["config", "check", "--config", "chat.toml"]);
        assert_eq!((checked.status.code(), out(&checked).as_str()), (Some(2), ""), "{file}");
        assert!(told(&checked).contains(what) && told(&checked).contains(how), "{}", told(&checked));
    }
    let absent = gauntlet(Path::new("."), &["config", "check", "--config", "no/such/file.toml"]);
    assert_eq!(absent.status.code(), Some(2));
    assert!(told(&absent).contains("`no/such/file.toml`"), "{}", told(&absent));
}

#[test]
fn a_server_with_settings_that_are_not_known_binds_and_opens_nothing_f152() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let folder = settings_file("[http]\nlistne = \"127.0.0.1:9\"\n");
    let serve = ["serve", "--config", "chat.toml", "--listen", &listen, "--database", "sqlite:chat.db"];

    let refused = gauntlet(folder.path(), &serve);

    // Whoever binds first finds the port taken, which is another end (4).
    assert_eq!(refused.status.code(), Some(2), "{}", told(&refused));
    assert!(told(&refused).contains("`http.listne`"), "{}", told(&refused));
    assert!(!folder.path().join("chat.db").exists());
}
