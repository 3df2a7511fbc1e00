//! What counts against the model, weakened: each policy blames wrongly in one way.

use std::sync::Arc;

use server::breaker::{Policy, TurnEnd, Verdict};

/// A user who hangs up counts as a failure of the model.
pub(super) const HANG_UPS_COUNT: &str = "hang-ups-count";
/// What says nothing about the model, such as a request that was wrong, counts as its failure.
pub(super) const OWN_MISTAKES_COUNT: &str = "own-mistakes-count";
/// A model that refuses the account is asked again at every turn.
pub(super) const REFUSAL_FORGIVEN: &str = "refusal-forgiven";
/// A model that asks for fewer calls is not heard.
pub(super) const SLOWING_IGNORED: &str = "slowing-ignored";

/// Returns the breaker's policy, weakened if the part is one of its.
pub(super) fn breaker_policy(part: Option<&str>, sound: Arc<dyn Policy>) -> Arc<dyn Policy> {
    let wrong = match part {
        Some(HANG_UPS_COUNT) => Wrong::HangUpsCount,
        Some(OWN_MISTAKES_COUNT) => Wrong::OwnMistakesCount,
        Some(REFUSAL_FORGIVEN) => Wrong::RefusalForgiven,
        Some(SLOWING_IGNORED) => Wrong::SlowingIgnored,
        _ => return sound,
    };
    Arc::new(Misjudging { sound, wrong })
}

#[derive(Clone, Copy, Debug)]
enum Wrong {
    HangUpsCount,
    OwnMistakesCount,
    RefusalForgiven,
    SlowingIgnored,
}

/// Judges as the sound policy does, except in one case.
#[derive(Debug)]
struct Misjudging {
    sound: Arc<dyn Policy>,
    wrong: Wrong,
}

impl Policy for Misjudging {
    fn verdict(&self, end: TurnEnd<'_>) -> Verdict {
        let sound = self.sound.verdict(end);
        match (self.wrong, end, sound) {
            (Wrong::HangUpsCount, TurnEnd::Abandoned, _)
            | (Wrong::OwnMistakesCount, TurnEnd::Failed(_), Verdict::Excluded) => Verdict::Failure,
            (Wrong::RefusalForgiven, _, Verdict::Locked) | (Wrong::SlowingIgnored, _, Verdict::Slowed(_)) => {
                Verdict::Excluded
            }
            _ => sound,
        }
    }
}
