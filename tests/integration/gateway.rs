//! Gateways of strangers, judged from outside: each broken one is accused by the scenario that its defect is about, and
//! the sound one never is (S5, S9).

use scenarios::result::{Run, ScenarioResult, Verdict};

use crate::support::{
    gateway::{Defect, GAP, Gateway},
    judged::{self, told},
    port::free,
};

/// Judges a gateway with these scenarios; all of them if none is named.
async fn judge(defect: Defect, names: &'static [&'static str]) -> Run {
    let llm = free();
    let gateway = Gateway::start(llm, defect).await;
    let mut chosen = scenarios::completions().unwrap();
    chosen.retain(|scenario| names.is_empty() || names.contains(&scenario.id.as_str()));
    let file = format!(
        "schema = 1\nname = \"{defect:?}\"\nkind = \"openai\"\nurl = \"http://{}\"\nllm = \"{llm}\"\n[settings]\nllm.gap = \"{}s\"\nllm.total = \"5s\"\nllm.breaker.cooldown = \"1s\"\n",
        gateway.address,
        GAP.as_secs()
    );
    judged::judge(file, chosen).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_gateway_is_never_accused_s5() {
    let run = judge(Defect::None, &[]).await;

    assert!(run.scenarios.len() >= 13);
    for scenario in &run.scenarios {
        assert_eq!(scenario.verdict, Verdict::Pass, "{}: {}", scenario.id, told(&run));
    }
}

/// Each defect, the scenario that is about it, and the check that names it.
const DEFECTS: [(Defect, &[&str], &str); 17] = [
    (Defect::NeverAnswers, &["answers_come_as_they_are_made"], "steady state before"),
    (Defect::EndsTwice, &["keep_alives_do_no_harm"], "one end per message"),
    (Defect::SpeaksAfterTheEnd, &["keep_alives_do_no_harm"], "nothing after the end"),
    (Defect::MixesUsers, &["answers_reach_their_own_clients_whole"], "no frame of another user"),
    (Defect::LosesTheEnd, &["keep_alives_do_no_harm"], "the answer is whole"),
    (Defect::BelievesTheHalf, &["cut_answer_is_not_told_as_whole"], "half an answer is not told as whole"),
    (Defect::Doubles, &["answers_reach_their_own_clients_whole"], "one client reads the answer about apples"),
    (
        Defect::Reorders,
        &["answers_reach_their_own_clients_whole"],
        "one client reads the answer about apples",
    ),
    (Defect::Splices, &["cut_answer_is_not_told_as_whole"], "nothing is put behind the half"),
    (Defect::HoldsTheModel, &["client_that_leaves_frees_the_model"], "the model is hung up on in mid-answer"),
    (Defect::Collects, &["answers_come_as_they_are_made"], "the first words come at once"),
    (Defect::SoothesErrors, &["outage_is_told_by_its_status"], "nobody reads an answer"),
    (Defect::HidesTheStatus, &["rate_limit_stays_a_rate_limit"], "the status is 429"),
    (Defect::IsPatient, &["silent_model_is_given_up"], "the client is told within the gap limit"),
    (Defect::TearsLetters, &["letters_are_not_torn"], "every letter is whole"),
    (Defect::ReadsComments, &["keep_alives_do_no_harm"], "no comment is read as data"),
    (
        Defect::ForgetsTheConversation,
        &["conversation_reaches_the_model_in_order"],
        "the model sees three questions and two answers",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_broken_gateway_goes_free_and_its_defect_is_named_s9() {
    let judged =
        DEFECTS.map(|(defect, names, check)| async move { (defect, check, judge(defect, names).await) });

    for (defect, check, run) in futures_util::future::join_all(judged).await {
        let broken: Vec<_> = run.scenarios.iter().flat_map(ScenarioResult::broken).collect();

        assert!(broken.iter().any(|broken| broken.id == check), "{defect:?}: {}", told(&run));
    }
}
