//! The reference server as a process with a Redis, in a house that may be careless.

use std::{fs, path::Path};

use super::redis::Redis;

/// What is wrong with the house.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wrong {
    /// Nothing.
    Nothing,
    /// When the server is killed, its disk loses what this statement takes away.
    Disk(&'static str),
    /// The shell that looks after the server, `$server`, does this. `{root}` is the folder of this project.
    Shell(&'static str),
    /// When the house is to go on after a pause, only its shell goes on, and does this. What wakes the server is
    /// `kill -s CONT $server`, so that nothing that stands before it races with the server.
    Waking(&'static str),
    /// The server has this in its environment, whatever a scenario wants.
    Environment(&'static str),
}

/// Returns the target file of a house. Its settings are those of the file for a server as a process.
pub(crate) fn target_file(wrong: Wrong, redis: &Redis) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let usual = fs::read_to_string(root.join("docs/targets/process.toml")).unwrap();
    let (_, settings) = usual.split_once("[settings]").unwrap();
    let (program, root) = (env!("CARGO_BIN_EXE_gauntlet"), root.display().to_string());
    let (mut beside, mut commands, mut environment) = (":".to_owned(), String::new(), "A_HOUSE=1");
    match wrong {
        Wrong::Nothing => {}
        Wrong::Shell(does) => beside = does.replace("{root}", &root),
        Wrong::Waking(does) => {
            beside = format!("trap '{does}' CONT");
            commands = command("resume", "kill -s CONT $(cat {scratch}/shell)");
        }
        Wrong::Disk(loses) => commands = command("kill", &killed_by(loses)),
        Wrong::Environment(has) => environment = has,
    }
    let beside = beside.strip_suffix('&').map_or_else(|| format!("{beside};"), |first| format!("{first}&"));
    let shell = format!(
        "\\\"$@\\\" & server=$!; echo $server >{{scratch}}/id; echo $$ >{{scratch}}/shell; {beside} while kill -s 0 $server; do wait $server; done"
    );
    format!(
        r#"
        schema = 1
        name = "a house"
        kind = "chat-v0"
        url = "http://127.0.0.1:0"
        capabilities = ["facts", "reminders", "conversations", "kinds", "chat-v1"]
        slack = "2s"
        [start]
        command = [
            "sh", "-c", "{shell}", "sh", "env", "{environment}", "{program}", "serve", "--listen", "{{address}}",
            "--config", "{root}/docs/targets/process.server.toml", "--database", "sqlite:{{scratch}}/chat.db",
        ]
        env = {{ DEEPSEEK_BASE_URL = "{{llm}}", GAUNTLET__REDIS__URL = "redis://{{redis}}" }}
        {commands}health = "/health/ready"
        setting = "GAUNTLET__{{SETTING}}"
        [links]
        redis = {{ to = "{redis}" }}
        [settings]{settings}"#,
        redis = redis.url().trim_start_matches("redis://"),
    )
}

/// Returns the line of a target file by which a shell does something to the server.
fn command(which: &str, script: &str) -> String {
    format!("{which} = [\"sh\", \"-c\", \"{script}\"]\n")
}

/// Returns the script by which a server is killed and its disk loses something.
fn killed_by(loses: &str) -> String {
    let script = format!(
        "import sqlite3; disk = sqlite3.connect('{{scratch}}/chat.db', 30); disk.execute('{loses}'); disk.commit()"
    );
    format!("kill -s KILL $(cat {{scratch}}/id); python3 -c \\\"{script}\\\"")
}
