//! What the end of a turn says.

use crate::{
    chat::{
        event::Said,
        protocol::{Action, Finish, Frame, FrameType},
    },
    classify::Intent,
    llm::Failure,
};

/// Makes the frame that ends a turn; with the id of the reply, if one is stored.
pub(super) fn done(said: &Said, finish: Finish) -> Frame {
    let id = matches!(finish, Finish::Answered | Finish::Fallback | Finish::Interrupted | Finish::Stopped);
    Frame { finish: Some(finish), id: id.then_some(said.ids.reply), ..Frame::new(FrameType::Done, said.turn) }
}

/// Returns what the user can do about a failure.
pub(super) const fn action(failure: &Failure, intent: Intent) -> Action {
    match (intent, failure) {
        (Intent::SymptomReport, _) => Action::Emergency,
        (_, Failure::Request(_) | Failure::Account(_)) => Action::ContactSupport,
        _ => Action::Retry,
    }
}

/// Returns when asking again may help, where that is known.
pub(super) fn millis(failure: &Failure) -> Option<u64> {
    failure.retry_after().map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
}
