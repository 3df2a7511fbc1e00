//! Ends that only the frames of TLS and HTTP/2 have.

use serde::Deserialize;

use super::Behaviour;
use crate::{
    answer::{Answer, Cut, During, Ending, Marks},
    draft::Draft,
};

/// Ends the answer after some chunks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Frames {
    end: FramesEnd,
    after_events: usize,
    #[serde(default)]
    during: During,
    /// The number of the error code: RFC 9113, section 7.
    #[serde(default)]
    reason: u32,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FramesEnd {
    /// The stream is reset.
    ResetStream,
    /// The connection goes away, with all its streams.
    GoAway,
    /// The socket closes without a `close_notify` of TLS.
    Abandon,
}

impl Behaviour for Frames {
    fn shape(&self, draft: &mut Draft, _marks: Marks) {
        if self.during == During::Reasoning {
            draft.think();
        }
    }

    fn apply(&self, answer: &mut Answer, marks: Marks) {
        let Some(place) = answer.place_after(self.after_events, self.during) else { return };
        let cut = match self.end {
            FramesEnd::ResetStream => Cut::ResetStream(self.reason.into()),
            FramesEnd::GoAway => Cut::GoAway(self.reason.into()),
            FramesEnd::Abandon => Cut::Abandon,
        };
        answer.end_at(place, Ending::Cut(cut), marks);
    }
}
