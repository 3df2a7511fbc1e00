//! Scenarios in plain words, as `gauntlet show` prints them.

use std::process::Command;

fn show(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_gauntlet")).arg("show").args(arguments).output().expect("it starts");
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_testing_gap_is_told_to_somebody_who_knows_no_file_format_s13() {
    insta::assert_snapshot!(show(&["flood_of_100_messages_gets_ten_answers"]), @r"
    flood_of_100_messages_gets_ten_answers: of 100 messages in one second ten are answered and 90 are refused with the time to wait
    The flood guard counts by user, costs the model nothing, and tells when to try again.

    Testing gap  1 (F127)
    Features     F3, F7, F127
    Tags         gap, limits, smoke
    Needs        kinds
    File         library/flood_of_100_messages_gets_ten_answers.toml

    The model
      Every request is answered soundly.

    What is done
      ana’s phone connects.
      bea’s phone connects.
      ana’s phone says “Is exercise number {n} good in pregnancy?”, 100 times, each with its number, spread over `limits.messages.period / 60`; this moment is called `flood`.
      Wait for this, 90 times: an error for ana’s phone.
      Wait for this, `limits.messages.burst` times: the end of a turn for ana’s phone.
      This moment is called `flood over`.
      bea’s phone says “Which fish can I eat?”; this moment is called `bystander`.
      Wait for this: the end of a turn for bea’s phone.

    What must be seen
      ten are answered:
        exactly `limits.messages.burst` times: the end of a turn for ana’s phone with “answered” at `/finish`.
      ninety are refused:
        exactly `100 - limits.messages.burst` times: an error for ana’s phone with the code `rate_limited`.
      every refusal says when to try again:
        whenever there is an error for ana’s phone, it is a frame for ana’s phone with a value at `/retry_after_ms`, and there are 90 at least.
      the model is asked ten times:
        exactly `limits.messages.burst` times before `flood over`: a request to the model with “Is exercise number” in its prompt.
      others are served at once:
        within 100ms of `bystander`: the end of a turn for bea’s phone.

    What is taken away to show that it can fail
      no flood limit (`limits.messages.mode` = “off”): “ten are answered” must break.
      limit counted but not enforced (`limits.messages.mode` = “shadow”): “ninety are refused” must break.
    ");
}

#[test]
fn a_scenario_with_faults_and_time_is_told_in_order_s13() {
    insta::assert_snapshot!(show(&["breaker_closes_after_its_cooldown"]), @r"
    breaker_closes_after_its_cooldown: when the cool-down is over a healthy model is asked again
    Nothing but time is needed for the breaker to try again.

    Features     F17
    Tags         breaker, fault, defect, D1
    Needs        kinds
    File         library/breaker_closes_after_its_cooldown.toml

    The model
      Every request: the answer has a fault: Service too busy (`too-busy-503`).

    What is done
      ana’s phone connects.
      The following happens `llm.breaker.failures` times:
        ana’s phone says “Is honey safe?”.
        Wait for this: the end of a turn for ana’s phone.
      From here on the model does something else:
        Every request is answered soundly.
      Let `llm.breaker.cooldown / 2` pass.
      This moment is called `healthy`.
      ana’s phone says “Is sushi safe now?”.
      Wait for this: the end of a turn for ana’s phone.
      Let `llm.breaker.cooldown / 2 + 1s` pass.
      ana’s phone says “Is sushi safe at last?”; this moment is called `cooled`.
      Wait for this: the end of a turn for ana’s phone.

    What must be seen
      before the time the model is left alone:
        never between `healthy` and `cooled`: a request to the model with “sushi safe now” in its prompt and no “at last” in its prompt.
      after it the model answers:
        at least once after `cooled`: a frame for ana’s phone with the kind `answer`.

    What is taken away to show that it can fail
      breaker that never closes (`llm.breaker.cooldown` = “10000h”): “after it the model answers” must break.
      breaker that does not wait (`llm.breaker.cooldown` = “1ms”): “before the time the model is left alone” must break.
    ");
}

#[test]
fn the_file_itself_is_printed_when_it_is_asked_for_s13() {
    let text = show(&["concurrent_writes_to_one_fact_are_all_kept", "--source"]);

    assert!(text.contains("[[steps]]\nwrite_facts = {"), "{text}");
    assert!(scenarios::parse("concurrent_writes_to_one_fact_are_all_kept.toml", &text).is_ok());
}
