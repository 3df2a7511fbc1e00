//! What people read when they did something wrong: the thing, the place and the way out.

use std::{fs, net::TcpListener, process::Command};

/// Runs gauntlet in an empty folder; returns the exit code and standard error.
fn gauntlet(arguments: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::write(folder.path().join("broken.toml"), "schema = 1\nname = 7\n").expect("a file can be written");
    let output = Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .args(arguments)
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .output()
        .expect("it starts");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn an_unknown_scenario_is_wrong_usage() {
    let (code, text) = gauntlet(&["run", "nonsense"]);

    assert_eq!(code, Some(2));
    insta::assert_snapshot!(text, @r"
    error: no scenario, tag or feature `nonsense`
      hint: `gauntlet list` shows them; a file of your own ends in `.toml`
    ");
}

#[test]
fn a_word_that_is_nearly_one_is_told_what_it_may_mean() {
    for (word, meant) in [("gapp", "gap"), ("drip", "drip_ends_at_the_total_limit"), ("F1277", "F127")] {
        let (code, text) = gauntlet(&["run", word]);

        assert_eq!(code, Some(2));
        assert!(text.contains(&format!("did you mean `{meant}`?")), "{text}");
    }
}

#[test]
fn what_is_not_there_is_named_with_what_makes_it() {
    let (_, report) = gauntlet(&["replay", "nowhere"]);
    let (_, target) = gauntlet(&["run", "--target", "nowhere.toml"]);

    assert!(report.contains("`nowhere`") && report.contains("hint: `gauntlet run` writes"), "{report}");
    assert!(target.contains("`nowhere.toml`") && target.contains("hint: `gauntlet target init"), "{target}");
}

#[test]
fn a_scenario_file_that_is_not_there_is_named() {
    let (code, text) = gauntlet(&["check", "missing.toml"]);

    assert_eq!(code, Some(2));
    insta::assert_snapshot!(text, @"error: cannot read the scenario `missing.toml`: No such file or directory (os error 2)");
}

#[test]
fn an_invalid_scenario_file_is_shown_with_its_line() {
    let (code, text) = gauntlet(&["check", "broken.toml"]);

    assert_eq!(code, Some(2));
    assert!(text.contains("broken.toml:2:8"), "{text}");
    assert!(text.contains("name = 7"), "{text}");
}

#[test]
fn an_unknown_fault_is_wrong_usage() {
    let (code, text) = gauntlet(&["faults", "show", "nope"]);

    assert_eq!(code, Some(2));
    assert!(text.starts_with("error: fault `nope` is not in the catalogue"), "{text}");
}

#[test]
fn a_replay_has_nothing_to_play_at_a_dead_end() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("it has an address").port().to_string();
    let replay = ["--replay", "broken.toml", "--fault", "connect-refused"];

    let (code, text) = gauntlet(&[&["mock", "--port", &port], &replay[..]].concat());

    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("`connect-refused` strikes before there is a connection"), "{text}");
}

#[test]
fn an_unknown_report_format_names_the_known_ones() {
    let (code, text) = gauntlet(&["run", "--format", "pdf"]);

    assert_eq!(code, Some(2));
    assert!(text.contains("there are `json`, `junit`, `markdown` and `html`"), "{text}");
}

#[test]
fn a_taken_port_is_the_environments_fault() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it has an address").to_string();
    let port = taken.local_addr().expect("it has an address").port().to_string();

    let (mock, told) = gauntlet(&["mock", "--port", &port]);
    let (server, said) = gauntlet(&["serve", "--listen", &address]);

    assert_eq!((mock, server), (Some(4), Some(4)));
    for text in [told, said] {
        assert!(
            text.contains(&format!("address `{address}` is taken; stop what listens there, or choose")),
            "{text}"
        );
    }
}

#[test]
fn a_settings_file_that_is_not_there_is_named() {
    let (code, text) = gauntlet(&["serve", "--config", "missing.toml"]);

    assert_eq!(code, Some(2));
    insta::assert_snapshot!(text, @"error: cannot read the settings file `missing.toml`: No such file or directory (os error 2)");
}

#[test]
fn a_fault_before_the_connection_is_not_mixed_with_those_of_an_answer() {
    let (code, text) = gauntlet(&["mock", "--port", "0", "--fault", "dns-failure", "--fault", "crlf"]);

    assert_eq!(code, Some(2));
    insta::assert_snapshot!(text, @"error: fault `dns-failure` strikes before there is a connection, so it cannot be part of an answer; point the client at the address that `gauntlet mock --fault dns-failure` prints, or at that of a `DeadEnd`");
}

#[test]
fn a_taken_port_cannot_be_held_for_a_fault() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it has an address");

    let (code, text) =
        gauntlet(&["mock", "--port", &address.port().to_string(), "--fault", "connect-timeout"]);

    assert_eq!(code, Some(4));
    assert!(text.contains(&format!("address `{address}` is taken; stop what listens there")), "{text}");
}
