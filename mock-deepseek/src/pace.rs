//! Says when each piece of a sound answer is due.
//!
//! Pauses stand before pieces and are relative, so that faults may put their own between them.
//! Invariant: pacing changes no byte. It does not wait; the [writer](crate::write) does.

use crate::{
    answer::{Answer, Kind},
    script::Pace,
};

/// Puts the pace's pauses before the pieces.
pub(crate) fn apply(answer: &mut Answer, pace: Pace, tokens: usize) {
    let mut first = true;
    for piece in &mut answer.pieces {
        match piece.kind {
            Kind::Role => piece.wait = pace.first_token,
            Kind::Reasoning | Kind::Content => {
                piece.wait = if std::mem::take(&mut first) { std::time::Duration::ZERO } else { pace.gap };
            }
            Kind::Body => {
                let gaps = u32::try_from(tokens.saturating_sub(1)).unwrap_or(u32::MAX);
                piece.wait = pace.first_token + pace.gap.saturating_mul(gaps);
            }
            _ => {}
        }
    }
}
