//! One turn of a user: wait until a question is due, ask, and read the answer as a user would.

use clock::{Instant, timeout_at};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;

use super::{
    figures::Time,
    frame::{Frame, Ids, Meaning},
    promise::Promise,
    recorder::{Ended, Turn},
    seat::Seat,
    stage::Stage,
};

/// What came of an answer so far.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// When the question went out.
    asked: Instant,
    /// Which one it is; of a flood all are heard.
    ids: Ids,
    text: String,
    first: Option<Instant>,
    last: Option<Instant>,
    instead: bool,
    safety: bool,
    /// Whether its end was read.
    has_ended: bool,
}

/// Plays a turn when one is due. When it is over, those that were due before are played still, late as they are; then
/// nothing is returned.
pub(crate) async fn play(stage: &Stage, seat: &mut Seat) -> Option<Turn> {
    let free = seat.free;
    let due = seat.pace.as_mut().filter(|_| !seat.is_done)?.due(free);
    // Whoever is late already asks at once.
    let is_over = seat.rest(stage, due.remaining(stage.recorder.now())).await;
    if is_over && (stage.shut.is_cancelled() || !stage.recorder.was_due(due)) {
        stage.finish(seat, due);
        return None;
    }
    if !seat.come_back(stage).await {
        stage.recorder.never_asked(due);
        return None;
    }
    seat.overhear(stage);
    let asked = stage.recorder.now();
    stage.recorder.took(Time::Lag, due.max(free), asked);
    stage.recorder.begins(due);
    let mut heard = Heard { asked, ..Heard::default() };
    let how = ask(stage, seat, &mut heard).await;
    if !heard.has_ended {
        seat.leave_turn(stage, std::mem::take(&mut heard.ids));
    }
    let end = stage.recorder.now();
    if seat.reconnects {
        seat.hang_up(stage).await;
    }
    seat.free = end;
    let turn = Turn { due, sent: asked, first: heard.first, end, how };
    stage.recorder.ended(&turn);
    Some(turn)
}

/// Asks and reads to the end.
async fn ask(stage: &Stage, seat: &mut Seat, heard: &mut Heard) -> Ended {
    let limit = stage.recorder.now() + stage.patience;
    seat.asked += 1;
    heard.ids.client = stage.message_id(seat.n, seat.asked);
    let question = stage.question(&seat.question, &heard.ids.client);
    let mut tunnel = seat.tunnel;
    let Some(socket) = &mut seat.socket else { return Ended::Broken };
    if let Err(error) = socket.send(question).await {
        seat.lose(stage, &error.to_string());
        return Ended::Broken;
    }
    loop {
        let Some(socket) = &mut seat.socket else { return Ended::Broken };
        let text = match timeout_at(stage.clock(), limit, socket.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => text,
            Ok(Some(Ok(Message::Close(reason)))) => {
                seat.lose(stage, &format!("closed in a turn: {reason:?}"));
                return Ended::Broken;
            }
            Ok(Some(Ok(_))) => continue,
            Ok(Some(Err(error))) => {
                seat.lose(stage, &error.to_string());
                return Ended::Broken;
            }
            Ok(None) => {
                seat.lose(stage, "the connection ended in a turn");
                return Ended::Broken;
            }
            Err(_) => {
                let so_far = heard.text.clone();
                stage.recorder.broke(Promise::Ended, || format!("user {}: {so_far:?} so far", seat.n));
                return Ended::Broken;
            }
        };
        if let Some(ended) = heard.take(stage, seat, &text) {
            return ended;
        }
        if let Some(length) = tunnel.take_if(|_| heard.first.is_some()) {
            match seat.pass_tunnel(stage, length).await {
                Ok(true) => heard.last = None,
                Ok(false) => return Ended::Left,
                Err(_) => return Ended::Broken,
            }
        }
    }
}

impl Heard {
    /// Takes a frame; says how the turn ended, if it did.
    pub(crate) fn take(&mut self, stage: &Stage, seat: &mut Seat, text: &str) -> Option<Ended> {
        let frame = Frame::read(text, stage.protocol);
        seat.claim(stage, &frame);
        let goes_on = seat.follow(stage, &frame);
        if !self.ids.client.is_empty() {
            if !goes_on {
                return Some(Ended::Left);
            }
            if !frame.concerns(&mut self.ids) {
                seat.excuses(&frame);
                return None;
            }
        }
        let meaning = frame.meaning();
        if seat.emergency && !self.safety && meaning != Meaning::Sign {
            self.expect_safety(stage, seat, (&meaning, text));
        }
        match meaning {
            Meaning::Piece(piece) => {
                self.read_more(stage);
                self.text.push_str(piece);
                None
            }
            Meaning::SoFar(text) => {
                self.read_more(stage);
                text.clone_into(&mut self.text);
                None
            }
            Meaning::Instead => {
                self.instead = true;
                None
            }
            Meaning::Aside | Meaning::Sign | Meaning::Welcome | Meaning::Safety => None,
            Meaning::Garbage => {
                stage.recorder.broke(Promise::CleanFrames, || text.to_owned());
                None
            }
            Meaning::Refused(code) => {
                self.has_ended = true;
                Some(Ended::Refused(code.to_owned()))
            }
            Meaning::Done => {
                self.has_ended = true;
                Some(self.end(stage, seat))
            }
        }
    }

    /// Notes when more of the answer is there.
    fn read_more(&mut self, stage: &Stage) {
        let now = stage.recorder.now();
        self.first.get_or_insert(now);
        if let Some(last) = self.last.replace(now) {
            stage.recorder.took(Time::Gap, last, now);
        }
    }

    /// The first that comes to be read says what to do.
    fn expect_safety(&mut self, stage: &Stage, seat: &Seat, (meaning, text): (&Meaning<'_>, &str)) {
        self.safety = true;
        if *meaning == Meaning::Safety {
            stage.recorder.took(Time::Safety, self.asked, stage.recorder.now());
        } else {
            stage.recorder.broke(Promise::Safety, || format!("user {} read first: {text}", seat.n));
        }
    }

    /// Judges an answer that is told as whole.
    fn end(&self, stage: &Stage, seat: &Seat) -> Ended {
        if self.instead {
            return Ended::Instead;
        }
        if self.text == stage.answer(seat.n) {
            return Ended::Whole;
        }
        stage.recorder.broke(Promise::WholeText, || format!("user {} read {:?}", seat.n, self.text));
        Ended::Broken
    }
}
