//! Schedules as timelines: tokens and signs of life.

use std::fmt::Write as _;

use super::*;
use crate::{Script, transcript};

fn pace(toml: &str) -> Arc<Pace> {
    let script = Script::from_toml(&format!("[default]\npace = {toml}\n")).unwrap();
    Arc::new(script.default.pace.unwrap())
}

/// The pieces of a sample answer: when each comes, and what it is.
fn timeline(toml: &str, seed: u64) -> String {
    let mut answer = transcript::sample(Form::Stream, &[], Pacing { pace: pace(toml), seed });
    answer.render_all();
    let mut at = Duration::ZERO;
    let mut text = String::new();
    for piece in &answer.pieces {
        at += piece.wait;
        let _ = write!(text, "{:?}@{} ", piece.kind, at.as_millis());
    }
    let _ = match &answer.end.how {
        Ending::Repeat(piece) => write!(text, "then {:?} every {}", piece.kind, piece.wait.as_millis()),
        other => write!(text, "then {other:?}"),
    };
    text
}

#[test]
fn each_number_of_a_latency_file_has_a_source_m8() {
    for (name, text) in FILES {
        let file: toml::Table = toml::from_str(text).unwrap();

        for (key, value) in file.iter().filter(|(key, _)| *key != "title") {
            let source = value.get("source").and_then(toml::Value::as_str).unwrap_or_default();
            assert!(source.len() > 10, "{name}: {key} has no source");
        }
        assert!(Pace::named(name).is_ok(), "{name}");
    }
}

#[test]
fn a_latency_profile_that_does_not_exist_is_named_with_the_nearest() {
    let error = Pace::named("live-2025").unwrap_err();

    insta::assert_snapshot!(error, @"latency profile `live-2025` does not exist, did you mean `live-2026`; there are buffered-proxy, live-2026, queue-2026, thinking-2026, third-party-2026");
}

#[test]
fn tokens_come_without_keep_alive_m7() {
    insta::assert_snapshot!(timeline("{ first_token = \"300ms\", gap = \"10ms\" }", 0), @"Role@300 Content@300 Content@310 Content@320 Content@330 Content@340 Content@350 Content@360 Content@370 Finish@370 Done@370 then Complete");
}

#[test]
fn keep_alives_come_between_slow_tokens_in_their_own_rhythm_m7() {
    insta::assert_snapshot!(timeline("{ first_token = \"7s\", gap = \"1500ms\", keep_alive = \"2s\" }", 0), @"Liveness@2000 Liveness@4000 Liveness@6000 Role@7000 Content@7000 Liveness@8000 Content@8500 Liveness@10000 Content@10000 Content@11500 Liveness@12000 Content@13000 Liveness@14000 Content@14500 Liveness@16000 Content@16000 Content@17500 Finish@17500 Done@17500 then Complete");
}

#[test]
fn keep_alives_come_for_ever_without_a_token_m7() {
    insta::assert_snapshot!(timeline("{ first_token = \"never\", keep_alive = \"2s\" }", 0), @"then Liveness every 2000");
}

#[test]
fn keep_alives_go_on_in_their_rhythm_when_tokens_stop_m7() {
    insta::assert_snapshot!(timeline("{ first_token = \"3s\", gap = \"never\", keep_alive = \"2s\" }", 0), @"Liveness@2000 Role@3000 Content@3000 Liveness@4000 then Liveness every 2000");
}

#[test]
fn neither_tokens_nor_keep_alives_is_silence_m7() {
    insta::assert_snapshot!(timeline("{ first_token = \"never\" }", 0), @"then Hang");
}

#[test]
fn signs_of_life_within_an_answer_are_bounded() {
    let slow = pace("{ first_token = \"24h\", keep_alive = \"1ms\" }");

    let answer = transcript::sample(Form::Stream, &[], Pacing { pace: slow, seed: 0 });

    let signs = answer.pieces.iter().filter(|piece| piece.kind == Kind::Liveness).count();
    let waited: Duration = answer.pieces.iter().map(|piece| piece.wait).sum();
    assert_eq!((signs, waited), (KEEP_ALIVES_MAX, Duration::from_hours(24)));
}

#[test]
fn the_same_seed_gives_the_same_schedule_and_another_does_not_m8() {
    for name in Pace::names() {
        let profile = format!("\"{name}\"");

        assert_eq!(timeline(&profile, 5), timeline(&profile, 5), "{name}");
        assert_ne!(timeline(&profile, 5), timeline(&profile, 6), "{name}");
    }
}

#[test]
fn a_speed_that_is_drawn_per_request_is_the_same_for_all_its_gaps_m8() {
    let pacing = Pacing {
        pace: pace("{ gap = { uniform = { from = \"1ms\", to = \"9ms\" }, per = \"request\" } }"),
        seed: 3,
    };
    let mut schedule = Pacer::new(&pacing);

    let gaps: Vec<_> = (0..4).map(|_| schedule.gap()).collect();

    assert!(gaps.windows(2).all(|pair| pair[0] == pair[1]), "{gaps:?}");
    assert_ne!(gaps[0], Pacer::new(&Pacing { seed: 4, ..pacing.clone() }).gap());
}

#[test]
fn a_reply_in_one_piece_takes_as_long_as_its_tokens() {
    let steady = pace("{ first_token = \"1s\", gap = \"10ms\" }");

    let answer = transcript::sample(Form::Single, &[], Pacing { pace: steady, seed: 0 });

    assert_eq!(answer.pieces[0].wait, Duration::from_millis(1070));
}

#[test]
fn what_a_profile_says_can_be_overridden_one_by_one() {
    let (own, live) =
        (pace("{ profile = \"live-2026\", gap = \"1ms\", keep_alive = \"never\" }"), pace("\"live-2026\""));

    assert_eq!((&own.first_token, own.keep_alive), (&live.first_token, None));
    assert_eq!(own.gap, Duration::from_millis(1).into());
}
