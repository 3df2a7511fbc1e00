//! Servers that lose what they have acknowledged, or do not come back from a pause: each is accused by the scenario about
//! processes that its defect is about (S6, S9).
//!
//! They are the reference server in the hands of a careless house: what its disk loses when it is killed, for one, is
//! taken out of its database by hand.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
};

use futures_util::{StreamExt as _, stream};
use scenarios::result::Verdict;

use crate::support::{
    absence,
    house::{self, Wrong},
    judged::{self, told},
    redis::Redis,
};

/// Houses at once: other tests want the machine as well.
const AT_ONCE: usize = 4;

/// A scenario, what is wrong with the house, the check that names it, and words of its explanation.
struct Case {
    scenario: &'static str,
    wrong: Wrong,
    check: &'static str,
    words: &'static str,
}

/// What kills a server whose Redis does not answer in time.
const WATCHDOG: Wrong = Wrong::Shell("python3 {root}/tests/support/watchdog.py $server {redis} 1 &");
const DIES: &str = "it ended with";

const CASES: [Case; 15] = [
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
        scenario: "hundred_writes_of_64_writers_are_one_serial_order",
        wrong: Wrong::Disk("UPDATE facts SET version = version - 20"),
        check: "what the last writer wrote is there after a kill",
        words: "its `json` is 63",
    },
    // What a killed server leaves behind keeps the next one from starting.
    Case {
        scenario: "facts_survive_a_kill",
        wrong: Wrong::Shell("[ -e {scratch}/lock ] && kill -s KILL $server; touch {scratch}/lock"),
        check: "the target lives on",
        words: "it does not start again",
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
        wrong: Wrong::Waking("echo not today"),
        check: "the answer is whole",
        words: "its `type` is \"message\"",
    },
    Case {
        scenario: "server_that_stood_still_goes_on",
        wrong: Wrong::Waking("echo thread main panicked at src/main.rs:1:1: >&2; kill -s CONT $server"),
        check: "no panic",
        words: "panicked at src/main.rs",
    },
    Case {
        scenario: "server_that_stood_still_goes_on",
        wrong: Wrong::Waking("echo out of luck; kill -s KILL $server; exit 3"),
        check: "the target lives on",
        words: "it ended with exit status: 3",
    },
    Case {
        scenario: "redis_that_is_cut_off_costs_nobody_an_answer",
        wrong: WATCHDOG,
        check: "the answer under way is read to its end",
        words: "its `type` is \"message\"",
    },
    Case {
        scenario: "redis_that_says_nothing_costs_a_turn_moments",
        wrong: Wrong::Environment("GAUNTLET__REDIS__PATIENCE=1h"),
        check: "the answer comes all the same, and soon",
        words: "after ",
    },
    Case {
        scenario: "limits_hold_while_redis_is_away",
        wrong: Wrong::Environment("GAUNTLET__LIMITS__MESSAGES__MODE=off"),
        check: "most of the flood is refused",
        words: "none; one is near",
    },
    Case {
        scenario: "readiness_does_not_follow_redis",
        wrong: WATCHDOG,
        check: "the target lives on",
        words: DIES,
    },
    Case {
        scenario: "whoever_is_told_something_alone_is_welcomed_anew",
        wrong: Wrong::Environment("GAUNTLET__REDIS__URL="),
        check: "the phone is welcomed anew, with word that something may be missing",
        words: "none; one is near",
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_process_that_loses_its_promises_goes_free_s6_s9() {
    if !has_python() {
        return;
    }
    let Some(redis) = Redis::start() else { return };
    let processes = scenarios::processes().unwrap();
    let judged = CASES.iter().map(async |case| {
        let about = processes.iter().filter(|scenario| scenario.id == case.scenario).cloned().collect();
        (case, judged::judge(house::target_file(case.wrong, &redis), about).await)
    });
    let runs: Vec<_> = stream::iter(judged).buffer_unordered(AT_ONCE).collect().await;

    let mut free = Vec::new();
    for (case, run) in runs {
        if judged::accused(&run, case.check, case.words).is_none() {
            free.push(format!("{:?} goes free: {}", case.wrong, told(&run)));
        }
    }
    assert!(free.is_empty(), "{}", free.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_careful_house_is_never_accused_s6_s7() {
    let Some(redis) = Redis::start() else { return };
    let mut chosen = scenarios::processes().unwrap();
    // The others hold without a Redis, as `target` shows.
    chosen.retain(|scenario| scenario.is_called("redis"));
    let asked = chosen.len();

    let run = judged::judge(house::target_file(Wrong::Nothing, &redis), chosen).await;

    assert_eq!((run.scenarios.len(), asked > 0), (asked, true));
    for scenario in &run.scenarios {
        assert_eq!(scenario.verdict, Verdict::Pass, "{}: {}", scenario.id, told(&run));
    }
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
    let Some(redis) = Redis::start() else { return };
    let hoards =
        "python3 -c \\\"import time; hoard = bytes(1) * 300000000; time.sleep(9)\\\" & kill -s CONT $server";
    let a_while = scenarios::parse("a_while.toml", A_WHILE).unwrap();

    let run = judged::judge(house::target_file(Wrong::Waking(hoards), &redis), vec![a_while]).await;

    assert!(judged::accused(&run, "memory bounded", "128 MiB more are allowed").is_some(), "{}", told(&run));
}
