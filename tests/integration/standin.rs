//! Chats of strangers, judged from outside: each broken one is accused by the scenario that its defect is about, in words
//! that name the defect, and the sound one never is (S5, S9, S11).

use std::{net::SocketAddr, time::Duration};

use futures_util::{StreamExt as _, stream};
use scenarios::{
    Scenario,
    explore::{Search, explore},
    result::{Run, Verdict},
};

use tokio_util::sync::CancellationToken;

use crate::support::{
    judged::{self, told},
    port::free,
    standin::{Defect, StandIn},
};

/// What a defect is about: a scenario, the check that names the defect, and words of its explanation.
struct Case {
    defect: Defect,
    scenario: &'static str,
    check: &'static str,
    words: &'static str,
}

const fn case(defect: Defect, scenario: &'static str, check: &'static str, words: &'static str) -> Case {
    Case { defect, scenario, check, words }
}

const TWO_USERS: &str = "two_users_at_once_read_their_own_answers";
const READERS: &str = "readers_beside_64_writers_see_nothing_stale";
const ERROR_IN_MID_STREAM: &str = "error_in_mid_stream_is_not_answered_twice";

const CASES: [Case; 26] = [
    case(Defect::NeverAnswers, ERROR_IN_MID_STREAM, "one end per message", "0 ends: nothing came"),
    case(
        Defect::LosesTheEnd,
        ERROR_IN_MID_STREAM,
        "one end per message",
        "0 ends: what was begun was not ended",
    ),
    case(Defect::EndsTwice, TWO_USERS, "one end per message", "sent 1 messages and got 2 ends: too many"),
    case(Defect::SpeaksAfterTheEnd, TWO_USERS, "nothing after the end", "got a `message` after its last end"),
    case(Defect::MixesUsers, TWO_USERS, "no frame of another user", "`session` of `"),
    case(
        Defect::OneConversation,
        TWO_USERS,
        "the model hears of quinces alone",
        r#"its `lacks` is ["Shall I eat apples?""#,
    ),
    case(
        Defect::BelievesTheHalf,
        "torso_without_finish_is_no_answer",
        "the user is told that the answer broke off",
        "its `code` is \"\"",
    ),
    case(
        Defect::Doubles,
        TWO_USERS,
        "one reads of apples, once and whole",
        r#"its `answer` is "Apples are are good for you.""#,
    ),
    case(
        Defect::Reorders,
        TWO_USERS,
        "one reads of apples, once and whole",
        r#"its `answer` is "Apples good are for you.""#,
    ),
    case(Defect::DropsWrites, READERS, "every write is in the history", "is not stored: lost"),
    case(Defect::LastWriterWins, "word_that_was_read_is_never_gone_again", "no word is lost", "lost update"),
    case(Defect::ReadsFromACopy, READERS, "no read is stale", "the read is stale"),
    case(
        Defect::MixesFacts,
        "two_users_write_the_same_key_apart",
        "the other reads her own",
        "belongs to `note` of `ana`: leak",
    ),
    case(
        Defect::Splices,
        "reset_in_mid_answer_is_not_answered_twice",
        "the user reads just what came",
        "Do not drive yourself Sorry",
    ),
    case(
        Defect::LimitsEachSocket,
        "flood_over_ten_sockets_is_one_flood",
        "ten of a hundred are answered",
        "100",
    ),
    case(
        Defect::OneLimitForAll,
        "flood_of_one_user_leaves_the_others_alone",
        "whoever asks calmly is answered",
        "its `type` is \"error\"",
    ),
    case(
        Defect::ShowsTheWire,
        "invalid_json_from_the_model_is_no_answer",
        "no wire garbage in texts",
        "reads data:",
    ),
    case(
        Defect::HoldsTheModel,
        "answer_is_over_at_its_end_marker",
        "no upstream connection outlives its turn",
        "exchange 1 is still open",
    ),
    case(
        Defect::Forgets,
        "second_turn_remembers_the_first",
        "the second prompt holds the first turn",
        "its `messages` is 1",
    ),
    case(
        Defect::KeepsTheHalf,
        "cut_in_mid_chunk_is_no_answer",
        "the torso is not shown to the model",
        "Hard cheese is",
    ),
    case(Defect::ConfirmsTwice, "suggestion_is_confirmed_once", "one confirmation creates", "20"),
    case(
        Defect::ForgetsDismissals,
        "dismissal_is_final_whoever_confirms",
        "what was dismissed makes no reminder",
        ": both",
    ),
    case(
        Defect::LosesReminders,
        "confirmation_that_was_acknowledged_is_kept",
        "confirmed once, and kept",
        "it is not there: lost",
    ),
    case(
        Defect::AnybodyConfirms,
        "strangers_have_no_say_in_a_suggestion",
        "its owner alone decides",
        "and it is somebody else's",
    ),
    case(
        Defect::ClosesAllSockets,
        "oversized_frame_closes_that_socket_only",
        "the other socket goes on",
        "0",
    ),
    case(
        Defect::TakesOverTheSession,
        "whoever_comes_next_is_not_the_one_who_left",
        "no frame of another user",
        "`session` of `ana` reached `bea`",
    ),
];

/// Where a turn that does not end is waited for, as long as the settings say.
const WITHOUT_AN_END: [Defect; 6] = [
    Defect::NeverAnswers,
    Defect::LosesTheEnd,
    Defect::OneLimitForAll,
    Defect::HoldsTheModel,
    Defect::ClosesAllSockets,
    Defect::LosesTheEndInACrowd,
];

/// Where the proof is in what readers, writers and devices did.
const BY_OPERATIONS: [Defect; 4] =
    [Defect::DropsWrites, Defect::LastWriterWins, Defect::ReadsFromACopy, Defect::LosesReminders];

/// Runs at once: other tests want the machine as well.
const AT_ONCE: usize = 5;

/// How long a turn may take: more than a busy machine needs.
const TOTAL: Duration = Duration::from_secs(20);

/// The same where it is waited for.
const TOTAL_WITHOUT_AN_END: Duration = Duration::from_millis(1500);

/// Judges a stand-in with these scenarios.
async fn judge(defect: Defect, chosen: Vec<Scenario>) -> Run {
    let llm = free();
    let standin = StandIn::start(llm, defect).await;
    judged::judge(target_file(&standin, llm, defect), chosen).await
}

fn target_file(standin: &StandIn, llm: SocketAddr, defect: Defect) -> String {
    let ends = !WITHOUT_AN_END.contains(&defect);
    let (total, slack) = if ends { (TOTAL, "5s") } else { (TOTAL_WITHOUT_AN_END, "100ms") };
    format!(
        "schema = 1\nname = \"{defect:?}\"\nkind = \"chat-v0\"\nurl = \"http://{}\"\nllm = \"{llm}\"\nslack = \"{slack}\"\ncapabilities = [\"facts\", \"reminders\", \"kinds\"]\n[settings]\nlimits.user.mode = \"off\"\nlimits.http.mode = \"off\"\nconversation.idle = \"6s\"\nllm.total = \"{}ms\"\nllm.breaker.cooldown = \"1s\"\n",
        standin.address,
        total.as_millis(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_stand_in_is_never_accused_s5() {
    let mut chosen = scenarios::library().unwrap();
    chosen.retain(|scenario| CASES.iter().any(|case| case.scenario == scenario.id));
    assert_eq!(chosen.len(), 19);

    let run = judge(Defect::None, chosen).await;

    for scenario in &run.scenarios {
        assert_eq!(scenario.verdict, Verdict::Pass, "{}: {}", scenario.id, told(&run));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_broken_stand_in_goes_free_and_its_defect_is_named_s9_s11() {
    let library = scenarios::library().unwrap();
    let about =
        |case: &Case| library.iter().filter(|scenario| scenario.id == case.scenario).cloned().collect();
    // Those that are waited for have the machine for themselves.
    let (waited, quick): (Vec<_>, Vec<_>) =
        CASES.iter().partition(|case| WITHOUT_AN_END.contains(&case.defect));

    for cases in [quick, waited] {
        let judged = cases.into_iter().map(async |case| (case, judge(case.defect, about(case)).await));
        let runs: Vec<_> = stream::iter(judged).buffer_unordered(AT_ONCE).collect().await;
        for (case, run) in runs {
            accused(case, &run);
        }
    }
}

/// Checks that a run accuses a defect as it should, and shows by what.
fn accused(case: &Case, run: &Run) {
    let check = judged::accused(run, case.check, case.words);
    let check = check.unwrap_or_else(|| panic!("{:?} goes free: {}", case.defect, told(run)));

    if BY_OPERATIONS.contains(&case.defect) {
        let lines = &run.scenarios[0].transcript;
        let shown: Vec<_> = check.evidence.iter().map(|place| lines[*place].text.as_str()).collect();
        let is_operation = |text: &&str| text.contains(" wrote ") || text.contains(" confirmed ");
        assert!(shown.len() <= 4 && shown.iter().any(is_operation), "{:?}: {shown:?}", case.defect);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bug_of_a_stand_in_that_needs_an_interleaving_is_found_and_shrunk_s14() {
    let (llm, defect) = (free(), Defect::LosesTheEndInACrowd);
    let standin = StandIn::start(llm, defect).await;
    // A search judges many schedules; none may be accused because the machine is busy.
    let file = target_file(&standin, llm, defect);
    let file = file.replace("\"100ms\"", "\"500ms\"").replace("\"1500ms\"", "\"300ms\"");
    let (_folder, target) = judged::target(file);
    let search = Search { schedules: 40, seed: 1, target, part: None, stop: CancellationToken::new() };

    let outcome = tokio::task::spawn_blocking(move || explore(&search, &|_| {})).await.unwrap().unwrap();

    let found = outcome.found.expect("it is found");
    assert_eq!(found.check.id, "one end per message", "{}", found.scenario.source);
    // What is left has broken the same check once more.
    assert!(found.steps <= 6 && found.steps < found.drawn, "{}", found.scenario.source);
}
