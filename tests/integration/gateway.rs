//! Gateways of strangers, judged from outside: each broken one is accused by the scenario that its defect is about, in
//! words that name the defect, and the sound one never is (S5, S9, S11).

use std::{
    path::Path,
    process::{Command, Stdio},
};

use scenarios::{
    Scenario,
    result::{Run, ScenarioResult, Verdict},
};

use crate::support::{
    gateway::{Defect, GAP, Gateway},
    judged::{self, told},
    port::free,
};

/// How its clients ask.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Asked {
    Streamed,
    Whole,
}

use Asked::{Streamed, Whole};

/// Judges a gateway with those of these scenarios that it can be asked.
async fn judge(defect: Defect, asked: Asked, chosen: Vec<Scenario>) -> Run {
    let llm = free();
    let gateway = Gateway::start(llm, defect).await;
    let file = format!(
        "schema = 1\nname = \"{defect:?}\"\nkind = \"openai\"\nurl = \"http://{}\"\nllm = \"{llm}\"\nstream = {}\n[settings]\nllm.gap = \"{}s\"\nllm.total = \"5s\"\nllm.breaker.cooldown = \"1s\"\n",
        gateway.address,
        asked == Streamed,
        GAP.as_secs()
    );
    judged::judge(file, chosen).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_gateway_is_never_accused_s5() {
    let all = || scenarios::completions().unwrap();
    let (streamed, whole) =
        tokio::join!(judge(Defect::None, Streamed, all()), judge(Defect::None, Whole, all()));

    for (run, asked, least) in [(&streamed, Streamed, 16), (&whole, Whole, 12)] {
        let can = |scenario: &&ScenarioResult| scenario.verdict != Verdict::Skipped;
        assert!(run.scenarios.iter().filter(can).count() >= least, "{asked:?}: {}", told(run));
        for scenario in run.scenarios.iter().filter(can) {
            assert_eq!(scenario.verdict, Verdict::Pass, "{asked:?} {}: {}", scenario.id, told(run));
        }
    }
}

/// What a defect is about: a scenario, the check that names the defect, and words of its explanation.
struct Case {
    defect: Defect,
    asked: Asked,
    scenario: &'static str,
    check: &'static str,
    words: &'static str,
}

const fn case(
    defect: (Defect, Asked),
    scenario: &'static str,
    check: &'static str,
    words: &'static str,
) -> Case {
    Case { defect: defect.0, asked: defect.1, scenario, check, words }
}

const AS_MADE: &str = "answers_come_as_they_are_made";
const KEEP_ALIVES: &str = "keep_alives_do_no_harm";
const OWN: &str = "answers_reach_their_own_clients_whole";
const CUT: &str = "cut_answer_is_not_told_as_whole";
const LEAVES: &str = "client_that_leaves_frees_the_model";
const LEAVES_EARLY: &str = "client_that_leaves_while_it_waits_frees_the_model";
const OUTAGE: &str = "outage_is_told_by_its_status";
const LIMIT: &str = "rate_limit_stays_a_rate_limit";
const SILENT: &str = "silent_model_is_given_up";
const IN_ORDER: &str = "conversation_reaches_the_model_in_order";
const WEB_PAGE: &str = "web_page_is_never_passed_on_as_an_answer";
const LETTERS: &str = "letters_are_not_torn";
const UNDER_200: &str = "error_under_200_is_no_answer";
const EMPTY: &str = "empty_body_is_no_answer";
const HALF_BODY: &str = "half_a_body_is_no_answer";
const NO_REASON: &str = "end_without_a_reason_is_not_whole";
const IN_STREAM: &str = "error_within_a_stream_is_told";
const SAYS_NOTHING: &str = "model_that_says_nothing_is_given_up";
const THREE_AND_TWO: &str = "the model sees three questions and two answers";
const APPLES: &str = "one client reads the answer about apples";
const SAYS_SO: &str = "it is the back end that says so, by a status or an error";

const CASES: [Case; 34] = [
    case((Defect::NeverAnswers, Streamed), AS_MADE, "steady state before", "no answer of the model"),
    case(
        (Defect::EndsTwice, Streamed),
        KEEP_ALIVES,
        "one end per message",
        "sent 1 messages and got 2 ends: too many",
    ),
    case(
        (Defect::SpeaksAfterTheEnd, Streamed),
        KEEP_ALIVES,
        "nothing after the end",
        "got a `message` after its last end",
    ),
    case((Defect::MixesUsers, Streamed), OWN, "no frame of another user", "` of `"),
    case(
        (Defect::LosesTheEnd, Streamed),
        KEEP_ALIVES,
        "one end per message",
        "0 ends: what was begun was not ended",
    ),
    case(
        (Defect::BelievesTheHalf, Streamed),
        CUT,
        "half an answer is not told as whole",
        "1: ana.phone done",
    ),
    case(
        (Defect::BelievesTheHalf, Streamed),
        NO_REASON,
        "half an answer is not told as whole",
        "1: ana.phone done",
    ),
    case((Defect::BelievesTheHalf, Streamed), EMPTY, "nothing is told as whole", "1: ana.phone done"),
    case((Defect::BelievesTheHalf, Whole), HALF_BODY, "nobody reads an answer", "1: ana.phone message “{"),
    case((Defect::Doubles, Streamed), OWN, APPLES, "Apples keep keep for weeks"),
    case((Defect::Reorders, Streamed), OWN, APPLES, "keep Apples for weeks"),
    case(
        (Defect::Splices, Streamed),
        CUT,
        "nothing is put behind the half",
        "message “Sorry, please try again.”",
    ),
    case(
        (Defect::HoldsTheModel, Streamed),
        LEAVES,
        "the model is hung up on in mid-answer",
        "its `ended` is \"Completed\"",
    ),
    case(
        (Defect::HoldsTheModel, Streamed),
        LEAVES_EARLY,
        "the model is hung up on before it says a word",
        "its `ended` is \"Completed\"",
    ),
    case(
        (Defect::HoldsTheModel, Whole),
        LEAVES_EARLY,
        "the model is hung up on before it says a word",
        "its `ended` is \"Completed\"",
    ),
    case((Defect::Collects, Streamed), AS_MADE, "the first words come at once", "after "),
    case(
        (Defect::SoothesErrors, Streamed),
        OUTAGE,
        "nobody reads an answer",
        "message “Sorry, something went wrong.”",
    ),
    case(
        (Defect::SoothesErrors, Whole),
        OUTAGE,
        "nobody reads an answer",
        "message “Sorry, something went wrong.”",
    ),
    case((Defect::HidesTheStatus, Streamed), LIMIT, "the status is 429", "its `code` is \"http_500\""),
    case((Defect::HidesTheStatus, Whole), LIMIT, "the status is 429", "its `code` is \"http_500\""),
    case(
        (Defect::IsPatient, Streamed),
        SILENT,
        "no upstream connection outlives its turn",
        "exchange 1 is still open",
    ),
    case(
        (Defect::IsPatient, Whole),
        SAYS_NOTHING,
        "no upstream connection outlives its turn",
        "exchange 1 is still open",
    ),
    case((Defect::TearsLetters, Streamed), LETTERS, "every letter is whole", "its `answer` is \"Gr\u{fffd}"),
    case(
        (Defect::ReadsComments, Streamed),
        KEEP_ALIVES,
        "no comment is read as data",
        "error found not_json “keep-alive”",
    ),
    case(
        (Defect::ReadsComments, Whole),
        KEEP_ALIVES,
        "no comment is read as data",
        "error told http_502 “not JSON”",
    ),
    case((Defect::ForgetsTheConversation, Streamed), IN_ORDER, THREE_AND_TWO, "its `messages` is 1"),
    case((Defect::ForgetsTheConversation, Whole), IN_ORDER, THREE_AND_TWO, "its `messages` is 1"),
    case(
        (Defect::SwallowsErrors, Streamed),
        IN_STREAM,
        "the answer is not told as whole",
        "1: ana.phone done",
    ),
    case(
        (Defect::SwallowsErrors, Whole),
        UNDER_200,
        "it is told once",
        "one is near, but its `type` is \"done\"",
    ),
    case((Defect::BelievesTheStatus, Streamed), WEB_PAGE, SAYS_SO, "error found cut"),
    case((Defect::BelievesTheStatus, Whole), WEB_PAGE, SAYS_SO, "error found not_json “<!DOCTYPE html>"),
    case((Defect::BelievesTheStatus, Streamed), UNDER_200, SAYS_SO, "error found cut"),
    case((Defect::BelievesTheStatus, Whole), EMPTY, SAYS_SO, "error found not_json"),
    case((Defect::BelievesTheStatus, Whole), HALF_BODY, SAYS_SO, "error found not_json “{"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_broken_gateway_goes_free_and_its_defect_is_named_s9_s11() {
    let library = scenarios::completions().unwrap();
    let about =
        |case: &Case| library.iter().filter(|scenario| scenario.id == case.scenario).cloned().collect();
    let judged = CASES.iter().map(async |case| (case, judge(case.defect, case.asked, about(case)).await));

    let mut free = Vec::new();
    for (case, run) in futures_util::future::join_all(judged).await {
        if judged::accused(&run, case.check, case.words).is_none() {
            free.push(format!("{:?} {:?} goes free: {}", case.defect, case.asked, told(&run)));
        }
    }
    assert!(free.is_empty(), "{}", free.join("\n"));
}

#[test]
fn every_scenario_about_completions_has_a_gateway_that_it_accuses_s9() {
    let library = scenarios::completions().unwrap();
    let is_proven = |scenario: &&Scenario| !CASES.iter().any(|case| case.scenario == scenario.id);

    let unproven: Vec<_> = library.iter().filter(is_proven).map(|scenario| &scenario.id).collect();

    assert!(unproven.is_empty(), "{unproven:?}");
}

/// Runs the program in this folder; returns how it ended and what it said.
async fn gauntlet(folder: &Path, line: String) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
    command.args(line.split_whitespace()).current_dir(folder).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_comes_from_nothing_to_a_verdict_by_three_commands_s5() {
    let (folder, llm) = (tempfile::tempdir().unwrap(), free());
    let gateway = Gateway::start(llm, Defect::SoothesErrors).await;
    let port = gateway.address.port();
    let init = format!("target init mine.toml --whole --listen localhost:{port} --llm {llm}");

    let written = gauntlet(folder.path(), init.clone()).await;
    let again = gauntlet(folder.path(), init).await;
    let checked = gauntlet(folder.path(), "target check mine.toml".to_owned()).await;
    let judged = gauntlet(folder.path(), "run fault --target mine.toml".to_owned()).await;

    assert_eq!(written.0, Some(0), "{}", written.1);
    assert_eq!(again.0, Some(2), "{}", again.1);
    assert!(again.1.contains("`mine.toml` is there already"), "{}", again.1);
    assert_eq!(checked.0, Some(0), "{}", checked.1);
    assert_eq!(judged.0, Some(1), "{}", judged.1);
    assert!(judged.1.contains("Sorry, something went wrong."), "{}", judged.1);
}
