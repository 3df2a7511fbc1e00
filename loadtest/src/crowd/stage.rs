//! What all users of a crowd share: where they chat, what the model answers, and whether it is over.

use std::{collections::BTreeMap, fmt::Write as _, net::SocketAddr, sync::Arc, time::Duration};

use clock::{Clock, Instant, SharedClock};
use scenarios::{Guest, model::Protocol};
use serde_json::json;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use super::{cast::Player, facts::Books, profile::Model, recorder::Recorder, seat::Seat};

/// Words of which one stands in each question, and in all pieces of its answer: users that follow each other have
/// different ones, so that an answer that reached the wrong user is seen by its text. Their beginning is that of no other
/// word: what users say must not name one by chance.
const MARKS: [&str; 16] = [
    "#amber", "#basil", "#cedar", "#daisy", "#ember", "#fennel", "#ginger", "#hazel", "#indigo", "#juniper",
    "#kelp", "#lemon", "#maple", "#nutmeg", "#olive", "#pepper",
];

/// What users share.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) clock: SharedClock,
    pub(crate) recorder: Arc<Recorder>,
    /// Where the target listens.
    pub(crate) target: SocketAddr,
    /// What requests to it name as their host.
    pub(crate) host: String,
    /// By person.
    pub(crate) guests: BTreeMap<usize, Guest>,
    /// When each step of the load began, as far as they have.
    pub(crate) steps: watch::Sender<Vec<Instant>>,
    /// How long users of one step are coming.
    pub(crate) ramp: Duration,
    /// What facts were written.
    pub(crate) books: Books,
    pub(crate) seed: u64,
    pub(crate) model: Model,
    pub(crate) protocol: Protocol,
    /// When this run began, in microseconds: ids of its messages begin with it, and are those of no other run.
    pub(crate) run: i64,
    /// What the model answers, by mark.
    pub(crate) answers: Vec<String>,
    /// So long a turn may take.
    pub(crate) patience: Duration,
    /// Cancelled when nobody is to ask any more.
    pub(crate) over: CancellationToken,
    /// Cancelled when nobody waits any more for what was due before.
    pub(crate) shut: CancellationToken,
}

impl Stage {
    /// Waits for so long, or until it is over; says whether it is.
    pub(crate) async fn rest(&self, span: Duration) -> bool {
        let until = self.clock.now() + span;
        tokio::select! {
            biased;
            () = self.over.cancelled() => true,
            () = self.clock.sleep_until(until) => false,
        }
    }

    /// Lets a user who chats end, `next` being the first question that was not asked. Those that were due count as late
    /// by what has passed since, which is the least that they were.
    pub(crate) fn finish(&self, seat: &mut Seat, next: Instant) {
        seat.is_done = true;
        let mut due = next;
        while self.recorder.was_due(due) {
            self.recorder.never_asked(due);
            let Some(pace) = &mut seat.pace else { break };
            due = pace.due(self.recorder.now());
        }
        self.recorder.seen().finished += 1;
    }

    /// Waits until this user is to come; says whether it is over before that.
    pub(crate) async fn turns_away(&self, player: Player) -> bool {
        let mut steps = self.steps.subscribe();
        let begun = tokio::select! {
            biased;
            () = self.shut.cancelled() => return true,
            steps = steps.wait_for(|begun| begun.len() > player.step) => steps.ok().map(|all| all[player.step]),
        };
        let Some(begun) = begun else { return true };
        let due = begun + self.ramp.mul_f64(player.share);
        self.rest(due.remaining(self.recorder.now())).await
    }

    /// Returns what the model answers to the `n`th user.
    pub(crate) fn answer(&self, n: usize) -> &str {
        &self.answers[n % MARKS.len()]
    }

    /// Returns what the question is called that the `n`th user asks for the `nth` time.
    pub(crate) fn message_id(&self, n: usize, nth: u64) -> String {
        format!("{}.{n}.{nth}", self.run)
    }

    /// Returns the frame that asks a question, under a name that v0 has no place for.
    pub(crate) fn question(&self, content: &str, id: &str) -> Message {
        let frame = match self.protocol {
            Protocol::V0 => json!({"content": content}),
            Protocol::V1 => json!({"type": "send", "client_msg_id": id, "content": content}),
        };
        Message::text(frame.to_string())
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }
}

/// Returns the mark of the `n`th user.
pub(crate) const fn mark(n: usize) -> &'static str {
    MARKS[n % MARKS.len()]
}

/// Returns what the model answers, by mark.
pub(crate) fn answers(model: &Model) -> Vec<String> {
    MARKS.iter().map(|mark| answer(mark, model)).collect()
}

fn answer(mark: &str, model: &Model) -> String {
    (0..model.pieces).map(|n| piece(mark, n)).collect()
}

/// Returns the `n`th piece: no two that follow each other are alike, so that swapped and doubled ones are seen.
fn piece(mark: &str, n: usize) -> String {
    let place = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh"][n % 7];
    format!("{}{mark} {place}", if n == 0 { "" } else { ", " })
}

/// Writes the script of the mock: a rule for each mark.
pub(crate) fn script(model: &Model) -> String {
    let mut script = String::new();
    for mark in MARKS {
        let pieces: Vec<_> = (0..model.pieces).map(|n| format!("\"{}\"", piece(mark, n))).collect();
        let ms = |span: Duration| span.as_secs_f64() * 1000.0;
        let _ = write!(
            script,
            "[[rules]]\nname = \"{mark}\"\nmatch = {{ contains = \"{mark}\" }}\n\
             pace = {{ first_token = \"{}ms\", gap = \"{}ms\" }}\n\
             reply = {{ thinking = \"\", pieces = [{}] }}\n\n",
            ms(model.first_token),
            ms(model.gap),
            pieces.join(", ")
        );
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_get_different_answers_and_no_piece_is_like_the_next_l3() {
        let model = Model { pieces: 8, ..Model::default() };

        assert_ne!(answer(mark(0), &model), answer(mark(1), &model));
        assert_eq!(answer("amber", &Model { pieces: 2, ..model }), "amber first, amber second");
        assert!((0..7).all(|n| piece("amber", n) != piece("amber", n + 1)));
    }
}
