//! Servers that lose what they have acknowledged, or do not come back from a pause: each is accused by the scenario about
//! processes that its defect is about (S6, S9).
//!
//! They are the reference server in the hands of a careless house: what its disk loses, when it is killed, is taken out
//! of its database by hand.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
};

use crate::support::{
    absence,
    judged::{self, told},
};

/// A scenario, what is wrong with the house, the check that names it, and words of its explanation.
struct Case {
    scenario: &'static str,
    wrong: Wrong,
    check: &'static str,
    words: &'static str,
}

/// What is wrong with the house.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    /// When the server is killed, its disk loses what this statement takes away.
    Disk(&'static str),
    /// The shell around the server does this when it gets a signal; `$1` is the server.
    Shell(&'static str),
}

const CASES: [Case; 8] = [
    Case {
        scenario: "facts_survive_a_kill",
        wrong: Wrong::Disk("DELETE FROM facts"),
        check: "the fact is there after it",
        words: "its `status` is 404",
    },
    Case {
        scenario: "kill_under_64_writers_loses_nothing_acknowledged",
        wrong: Wrong::Disk("DELETE FROM fact_revisions WHERE rowid % 20 = 0"),
        check: "every acknowledged write is in the history",
        words: "revision 20 of the stored history carries version 21",
    },
    Case {
        scenario: "confirmation_survives_a_kill",
        wrong: Wrong::Disk("DELETE FROM reminders"),
        check: "confirmed once, before and after",
        words: "and it is not there: lost",
    },
    Case {
        scenario: "killed_server_keeps_what_was_said",
        wrong: Wrong::Disk("DELETE FROM messages"),
        check: "the question is stored",
        words: "its `json` is null",
    },
    Case {
        scenario: "orderly_end_finishes_the_answer",
        wrong: Wrong::Shell("trap 'kill -s KILL $server' TERM"),
        check: "the answer is read to its end",
        words: "its `type` is \"message\"",
    },
    Case {
        scenario: "server_that_stood_still_goes_on",
        wrong: Wrong::Shell("trap 'kill -s STOP $server' CONT"),
        check: "the answer is whole",
        words: "its `type` is \"message\"",
    },
    Case {
        scenario: "server_that_stood_still_goes_on",
        wrong: Wrong::Shell("trap 'echo thread main panicked at src/main.rs:1:1: >&2' CONT"),
        check: "no panic",
        words: "panicked at src/main.rs",
    },
    Case {
        scenario: "server_that_stood_still_goes_on",
        wrong: Wrong::Shell("trap 'echo out of luck; kill -s KILL $server; exit 3' CONT"),
        check: "the target lives on",
        words: "it ended with exit status: 3; it wrote last: out of luck",
    },
];

/// Says whether there is a Python with SQLite; that there is none is told.
fn has_python() -> bool {
    let python = Command::new("python3").args(["-c", "import sqlite3"]).stderr(Stdio::null()).status();
    let is_here = python.is_ok_and(|status| status.success());
    if !is_here {
        absence::skip("sdk", "no Python with SQLite", "install `python3`");
    }
    is_here
}

/// Returns the target file of a house.
fn house(wrong: Wrong) -> String {
    let program = env!("CARGO_BIN_EXE_gauntlet");
    let (before, kill) = match wrong {
        Wrong::Shell(before) => (before, String::new()),
        Wrong::Disk(loses) => {
            let script = format!(
                "import sqlite3; disk = sqlite3.connect('{{scratch}}/chat.db', 30); disk.execute('{loses}'); disk.commit()"
            );
            let kill = format!("kill -s KILL $(cat {{scratch}}/id); python3 -c \\\"{script}\\\"");
            (":", format!("kill = [\"sh\", \"-c\", \"{kill}\"]\n"))
        }
    };
    let shell = format!(
        "\\\"$@\\\" & server=$!; echo $server >{{scratch}}/id; {before}; while kill -s 0 $server; do wait $server; done"
    );
    format!(
        r#"
        schema = 1
        name = "careless"
        kind = "chat-v0"
        url = "http://127.0.0.1:0"
        capabilities = ["facts", "reminders", "conversations", "kinds"]
        slack = "2s"
        settings = {{ limits.user.mode = "off", limits.http.mode = "off", llm.total = "6s", llm.first_token = "1500ms", llm.gap = "2s", llm.reserve = "200ms" }}
        [start]
        command = ["sh", "-c", "{shell}", "sh", "{program}", "serve", "--listen", "{{address}}", "--database", "sqlite:{{scratch}}/chat.db"]
        {kill}health = "/health/ready"
        [start.env]
        DEEPSEEK_BASE_URL = "{{llm}}"
        DEEPSEEK_API_KEY = "sk-test"
        JWT_SECRET = "a secret that outlives the process, 32 bytes"
        GAUNTLET__AUTH__ARGON2_MEMORY_KIB = "8"
        GAUNTLET__AUTH__ARGON2_PASSES = "1"
        GAUNTLET__LIMITS__USER__MODE = "off"
        GAUNTLET__LIMITS__HTTP__MODE = "off"
        GAUNTLET__LLM__TOTAL = "6s"
        GAUNTLET__LLM__FIRST_TOKEN = "1500ms"
        GAUNTLET__LLM__GAP = "2s"
        GAUNTLET__LLM__RESERVE = "200ms"
        "#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_process_that_loses_its_promises_goes_free_s6_s9() {
    if !has_python() {
        return;
    }
    let processes = scenarios::processes().unwrap();
    let judged = CASES.iter().map(async |case| {
        let about = processes.iter().filter(|scenario| scenario.id == case.scenario).cloned().collect();
        (case, judged::judge(house(case.wrong), about).await)
    });

    let mut free = Vec::new();
    for (case, run) in futures_util::future::join_all(judged).await {
        if judged::accused(&run, case.check, case.words).is_none() {
            free.push(format!("{:?} goes free: {}", case.wrong, told(&run)));
        }
    }
    assert!(free.is_empty(), "{}", free.join("\n"));
}

#[test]
fn every_scenario_about_processes_has_a_house_that_it_accuses_s9() {
    let proven = BTreeSet::from(CASES.map(|case| case.scenario));

    let processes = scenarios::processes().unwrap();

    assert!(proven.into_iter().eq(processes.iter().map(|scenario| &*scenario.id)));
}

/// A while after a pause, in which nothing is asked for.
const A_WHILE: &str = r#"
schema = 1
name = "a pause, and a while after it"
hypothesis = "Who has nothing to do needs no memory."
needs = ["process"]
users = [{ name = "ana" }]
steps = [{ process = { do = "pause" } }, { process = { do = "resume" } }, { advance = { by = "5s" } }]
[[expect]]
id = "silence"
never = { on = { frame = { device = "ana.phone", type = "done" } } }
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_house_that_hoards_memory_is_accused_s9() {
    if !has_python() {
        return;
    }
    let hoards =
        "trap 'python3 -c \\\"import time; hoard = bytes(1) * 300000000; time.sleep(9)\\\" & :' CONT";
    let a_while = scenarios::parse("a_while.toml", A_WHILE).unwrap();

    let run = judged::judge(house(Wrong::Shell(hoards)), vec![a_while]).await;

    assert!(judged::accused(&run, "memory bounded", "128 MiB more are allowed").is_some(), "{}", told(&run));
}
