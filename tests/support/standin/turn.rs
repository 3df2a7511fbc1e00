//! One turn after the other: what the model says, passed on as the defect wants it.

use serde_json::{Value, json};
use tokio::sync::mpsc::{Receiver, Sender};

use super::{
    Defect, House,
    model::{Heard, Hearing},
};

/// Takes the turns of a socket, in order.
pub(super) async fn all(house: House, person: usize, mut waiting: Receiver<String>, frames: Sender<Value>) {
    let mut number = 0;
    while let Some(text) = waiting.recv().await {
        number += 1;
        let defect = house.next_defect();
        let turn =
            Turn { house: house.clone(), person, number, defect, frames: frames.clone(), said: Vec::new() };
        if defect != Defect::NeverAnswers {
            tokio::spawn(turn.run(text)).await.unwrap();
        }
    }
}

impl House {
    /// Begins a turn: whoever looks whether all is well finds it so, and the defect shows later.
    fn next_defect(&self) -> Defect {
        let mut rooms = self.rooms();
        rooms.turns += 1;
        if rooms.turns == 1 { Defect::None } else { self.defect }
    }
}

struct Turn {
    house: House,
    person: usize,
    number: usize,
    defect: Defect,
    frames: Sender<Value>,
    /// Pieces of the answer.
    said: Vec<String>,
}

/// Counts a turn while it runs.
struct Running(House);

impl Running {
    fn begin(house: &House) -> Self {
        house.rooms().running += 1;
        Self(house.clone())
    }

    /// Says whether no other turn runs.
    fn end(self) -> bool {
        self.0.rooms().running == 1
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.rooms().running -= 1;
    }
}

/// How a turn ended.
enum End {
    Whole,
    Half,
    Nothing,
}

impl Turn {
    async fn run(mut self, text: String) {
        let running = Running::begin(&self.house);
        let suggested = self.note(&text);
        if let Some(id) = suggested {
            self.send(json!({"type": "calendar", "data": {"id": id, "title": "See how it is"}})).await;
        }
        let hearing = Hearing::ask(&self.house, self.prompt(&text)).await;
        let end = match hearing {
            Some(hearing) => self.listen(hearing).await,
            None => End::Nothing,
        };
        let is_alone = running.end();
        self.close(end, is_alone).await;
    }

    /// Notes what was said; some complaints are worth a reminder.
    fn note(&self, text: &str) -> Option<String> {
        let mut rooms = self.house.rooms();
        rooms.people[self.person].said.push(("user", text.to_owned()));
        text.contains("headache").then(|| rooms.calendar.suggest(self.person))
    }

    fn prompt(&self, text: &str) -> Vec<Value> {
        let rooms = self.house.rooms();
        let own = &rooms.people[self.person];
        let said: Vec<_> = match self.defect {
            Defect::Forgets => vec![("user", text.to_owned())],
            Defect::OneConversation => {
                let others = rooms.people.iter().filter(|person| person.email != own.email);
                others.chain([own]).flat_map(|person| person.said.clone()).collect()
            }
            _ => own.said.clone(),
        };
        let system = ("system", "You are a kind companion.".to_owned());
        let messages = [system].into_iter().chain(said);
        messages.map(|(role, content)| json!({"role": role, "content": content})).collect()
    }

    async fn listen(&mut self, mut hearing: Hearing) -> End {
        loop {
            match hearing.next().await {
                Heard::Piece(piece) => self.piece(piece).await,
                Heard::Unreadable(line) if self.defect == Defect::ShowsTheWire => self.piece(line).await,
                Heard::Unreadable(_) => {}
                heard => {
                    if self.defect == Defect::HoldsTheModel {
                        tokio::spawn(hearing.hold());
                    }
                    return match heard {
                        Heard::End => End::Whole,
                        _ if self.said.is_empty() => End::Nothing,
                        _ => End::Half,
                    };
                }
            }
        }
    }

    async fn piece(&mut self, piece: String) {
        self.said.push(piece.clone());
        match (self.defect, self.said.len()) {
            (Defect::Reorders, 2) => {}
            (Defect::Reorders, 3) => {
                self.tell("answer", &piece).await;
                self.tell("answer", &self.said[1]).await;
            }
            (Defect::Doubles, 2) => {
                self.tell("answer", &piece).await;
                self.tell("answer", &piece).await;
            }
            _ => self.tell("answer", &piece).await,
        }
    }

    async fn tell(&self, kind: &str, text: &str) {
        self.send(json!({"type": "message", "kind": kind, "content": text, "turn": self.number})).await;
    }

    async fn send(&self, mut frame: Value) {
        frame["session"] = json!(format!("session-{}", self.person));
        let all = || self.house.rooms().doors.clone();
        let doors = if self.defect == Defect::MixesUsers { all() } else { vec![self.frames.clone()] };
        for door in doors {
            // Fails only when the client has left.
            let _ = door.send(frame.clone()).await;
        }
    }

    async fn close(&mut self, end: End, is_alone: bool) {
        let is_kept = match end {
            End::Whole => true,
            End::Half => matches!(self.defect, Defect::KeepsTheHalf | Defect::BelievesTheHalf),
            End::Nothing => false,
        };
        if is_kept {
            self.house.rooms().people[self.person].said.push(("assistant", self.said.concat()));
        }
        let done = match (end, self.defect) {
            (End::Whole, _) | (End::Half, Defect::BelievesTheHalf) => {
                json!({"type": "done", "finish": "answered"})
            }
            (End::Half, defect) => {
                if defect == Defect::Splices {
                    self.tell("answer", "Sorry, please ask me again later.").await;
                }
                json!({"type": "done", "finish": "interrupted", "code": "interrupted", "action": "retry"})
            }
            (End::Nothing, _) => {
                let sorry = "I cannot answer right now; please try again.";
                let frame =
                    json!({"type": "message", "kind": "fallback", "action": "retry", "content": sorry});
                self.send(frame).await;
                json!({"type": "done", "finish": "fallback"})
            }
        };
        match self.defect {
            Defect::LosesTheEnd => {}
            Defect::LosesTheEndInACrowd if !is_alone => {}
            Defect::EndsTwice => {
                self.send(done.clone()).await;
                self.send(done).await;
            }
            Defect::SpeaksAfterTheEnd => {
                self.send(done).await;
                self.tell("answer", "By the way, drink water.").await;
            }
            _ => self.send(done).await,
        }
    }
}
