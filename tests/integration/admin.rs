//! `gauntlet admin` from outside: at the database of a server that does not run.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use server::storage::{AccessStorage, Actor, Database, SecondFactor, Storage};

/// Runs `gauntlet admin` with something on standard input.
fn admin(database: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
    command.arg("admin").args(arguments).args(["--database", database]);
    command.env("GAUNTLET__AUTH__ARGON2_MEMORY_KIB", "8");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Who needs no password does not read one.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

fn told(output: &Output) -> String {
    format!("{} {}", output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).trim_end())
}

fn url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("chat.db").display())
}

#[tokio::test]
async fn an_administrator_is_made_with_a_password_that_no_argument_holds_f144() {
    let folder = tempfile::tempdir().unwrap();
    let (url, file) = (url(folder.path()), folder.path().join("password"));
    std::fs::write(&file, "correct horse\n").unwrap();
    let create = |email: &str, more: &[&str], input: &str| {
        told(&admin(&url, &[&["create-admin", "--email", email], more].concat(), input))
    };

    let seen = [
        create("Root@example.org", &[], "correct horse\n"),
        create("root@example.org", &[], ""),
        create("ada@example.org", &["--password-file", file.to_str().unwrap()], ""),
        create("eve@example.org", &[], "short"),
        create("eve", &[], "correct horse"),
    ];

    insta::assert_snapshot!(seen.join("\n"), @"
    0 `root@example.org` was made, an administrator
    0 `root@example.org` is an administrator now; the password stays as it was
    0 `ada@example.org` was made, an administrator
    2 error: `password` must have 8 to 128 characters
    2 error: `email` must be an address such as `ana@example.org`
    ");
    let db = Database::open(&url, 2).await.unwrap();
    assert!(db.credentials("root@example.org").await.unwrap().unwrap().user.is_admin);
    assert!(db.credentials("eve@example.org").await.unwrap().is_none());
    let rows = db.audit(None, 9).await.unwrap();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.entry.actor == Actor::Operator && row.entry.action == "create-admin"));
    db.close().await;
}

#[tokio::test]
async fn a_lost_second_factor_is_removed_f144() {
    let folder = tempfile::tempdir().unwrap();
    let url = url(folder.path());
    admin(&url, &["create-admin", "--email", "root@example.org"], "correct horse");
    let db = Database::open(&url, 2).await.unwrap();
    let user = db.credentials("root@example.org").await.unwrap().unwrap().user.id;
    let factor = SecondFactor { user, secret: "A".to_owned(), confirmed_at: None };
    db.offer_factor(factor).await.unwrap();
    db.close().await;
    let remove = |email| told(&admin(&url, &["remove-second-factor", "--email", email], ""));

    let seen =
        [remove("root@example.org"), remove("root@example.org"), remove("nobody@example.org")].join("\n");

    insta::assert_snapshot!(seen, @"
    0 `root@example.org` has no second factor any more
    0 `root@example.org` had no second factor
    0 `nobody@example.org` had no second factor
    ");
}

#[tokio::test]
async fn users_are_made_in_number_and_each_has_a_token_l3() {
    let folder = tempfile::tempdir().unwrap();
    let url = url(folder.path());
    let seed = |arguments: &[&str], secret: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
        command.args(["admin", "seed-users", "--database", &url]).args(arguments);
        command.env("JWT_SECRET", secret).output().unwrap()
    };

    let made = seed(&["5", "--messages", "3", "--facts", "2"], "a laboratory secret of 32 bytes and more");
    let again = seed(&["1"], "a laboratory secret of 32 bytes and more");
    let keyless = seed(&["1"], "");
    let too_many = seed(&["60000"], "");

    assert_eq!(told(&made), "0 5 users were made; above stands a token for each");
    assert_eq!(told(&again), "0 1 users were made; above stands a token for each");
    let tokens = String::from_utf8(made.stdout).unwrap();
    assert_eq!(tokens.lines().collect::<std::collections::BTreeSet<_>>().len(), 5, "{tokens}");
    assert!(told(&keyless).starts_with("2 error: `auth.secret` is not set"), "{}", told(&keyless));
    assert!(told(&too_many).contains("60000 is not in 1..=50000"), "{}", told(&too_many));
    let db = Database::open(&url, 2).await.unwrap();
    let rows = db.audit(None, 9).await.unwrap();
    assert!(rows.len() == 2 && rows.iter().all(|row| row.entry.action == "seed-users"), "{rows:?}");
}
