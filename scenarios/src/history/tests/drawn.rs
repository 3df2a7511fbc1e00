//! Histories drawn by chance: clients call, the register acts, and answers come, in any order that could be. Anomalies
//! are planted in them.

use proptest::prelude::*;

use super::super::{FactHistory, Moment, Operation, Outcome, Read, Revision, Span, Writing};

fn moment(place: u64) -> Moment {
    Moment { place, at: std::time::Duration::from_millis(place) }
}

pub(super) fn span(from: u64, to: u64) -> Span {
    Span { from: moment(from), to: moment(to) }
}

/// A valid history of `n` writes, one after the other.
pub(super) fn history(n: i64, how: Writing) -> FactHistory {
    let word = |i| format!("w{i}");
    let value = |i| match how {
        Writing::Replace => word(i),
        Writing::Append => (1..=i).map(word).collect::<Vec<_>>().join(" "),
    };
    let at = |i: i64| u64::try_from(2 * i).unwrap();
    let operation = |i: i64| Operation {
        writer: (i % 3).to_string(),
        value: word(i),
        outcome: Outcome::Acknowledged(i),
        span: span(at(i) - 1, at(i)),
    };
    FactHistory {
        operations: (1..=n).map(operation).collect(),
        revisions: (1..=n).map(|i| Revision { version: i, value: value(i) }).collect(),
        last: value(n),
        ..FactHistory::new("ana", "note", how)
    }
}

/// What a client is doing.
enum Doing {
    Nothing,
    Called { from: u64, is_write: bool },
    Acted { from: u64, is_write: bool, value: Option<String>, version: i64 },
}

const CLIENTS: usize = 5;

pub(super) fn register(choices: &[u8]) -> FactHistory {
    few(u64::MAX, Writing::Replace, choices)
}

pub(super) fn appended(choices: &[u8]) -> FactHistory {
    few(u64::MAX, Writing::Append, choices)
}

/// Draws a history in which only so many different values are written.
pub(super) fn few(values: u64, how: Writing, choices: &[u8]) -> FactHistory {
    Drawing { history: FactHistory::new("ana", "note", how), values, place: 0, stored: None }.draw(choices)
}

/// A register and its clients.
struct Drawing {
    history: FactHistory,
    values: u64,
    place: u64,
    stored: Option<String>,
}

impl Drawing {
    /// Returns the word of whoever called at this place.
    fn word(&self, from: u64) -> String {
        format!("w{}", from % self.values)
    }

    /// Each choice takes one client one step further; what is under way at the end stays unanswered.
    fn draw(mut self, choices: &[u8]) -> FactHistory {
        let mut clients: Vec<_> = (0..CLIENTS).map(|_| Doing::Nothing).collect();
        for choice in choices {
            self.place += 1;
            let client = usize::from(choice % 8) % CLIENTS;
            let doing = std::mem::replace(&mut clients[client], Doing::Nothing);
            clients[client] = self.step(client, doing, choice / 8);
        }
        for (client, doing) in clients.into_iter().enumerate() {
            let (from, value) = match doing {
                Doing::Called { from, is_write: true } | Doing::Acted { from, is_write: true, .. } => {
                    (from, self.word(from))
                }
                _ => continue,
            };
            self.write(client, (from, value), Outcome::Unknown);
        }
        self.place += 2;
        let value = self.stored.clone();
        let all = span(self.place, self.place + 1);
        self.history.reads.push(Read { reader: "last".to_owned(), value, span: all });
        self.history.last = self.stored.unwrap_or_default();
        self.history
    }

    fn step(&mut self, client: usize, doing: Doing, luck: u8) -> Doing {
        match doing {
            Doing::Nothing => Doing::Called { from: self.place, is_write: luck.is_multiple_of(2) },
            Doing::Called { from, is_write: true } => {
                let stored = self.stored.take().filter(|_| self.history.how == Writing::Append);
                let value =
                    stored.map_or_else(|| self.word(from), |text| format!("{text} {}", self.word(from)));
                let version = i64::try_from(self.history.revisions.len()).unwrap() + 1;
                self.history.revisions.push(Revision { version, value: value.clone() });
                self.stored = Some(value);
                Doing::Acted { from, is_write: true, value: None, version }
            }
            Doing::Called { from, is_write: false } => {
                Doing::Acted { from, is_write: false, value: self.stored.clone(), version: 0 }
            }
            // One answer in eight is lost.
            Doing::Acted { from, is_write: true, version, .. } => {
                let outcome = if luck % 8 == 7 { Outcome::Unknown } else { Outcome::Acknowledged(version) };
                self.write(client, (from, self.word(from)), outcome);
                Doing::Nothing
            }
            Doing::Acted { from, value, .. } => {
                let span = span(from, self.place);
                self.history.reads.push(Read { reader: client.to_string(), value, span });
                Doing::Nothing
            }
        }
    }

    fn write(&mut self, client: usize, (from, value): (u64, String), outcome: Outcome) {
        let span = span(from, self.place);
        self.history.operations.push(Operation { writer: client.to_string(), value, outcome, span });
    }
}

/// What can go wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anomaly {
    /// An acknowledged write is not there.
    Lost,
    /// Something is there that nobody wrote.
    Phantom,
    /// Something is there twice.
    Duplicate,
    /// Something was seen and is no longer there.
    Gone,
    /// Somebody else's value is there.
    Leak,
    /// A read brings what had been replaced before it began.
    Stale,
    /// Two writers began with one version.
    LostUpdate,
}

impl Anomaly {
    pub(super) const ALL: [Self; 7] =
        [Self::Lost, Self::Phantom, Self::Duplicate, Self::Gone, Self::Leak, Self::Stale, Self::LostUpdate];

    /// Returns a word of its explanation.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Lost => ": lost",
            Self::Phantom => "phantom",
            Self::Duplicate => "duplicate",
            Self::Gone => "gone",
            Self::Leak => "leak",
            Self::Stale => ": the read ",
            Self::LostUpdate => "lost update",
        }
    }

    /// Plants it in a sound history; `None` where that has no room for it.
    pub(super) fn planted(self, choices: &[u8], at: prop::sample::Index) -> Option<FactHistory> {
        let mut history = match self {
            Self::Gone | Self::Duplicate | Self::LostUpdate => appended(choices),
            _ => register(choices),
        };
        let acknowledged =
            history.operations.iter().filter(|o| matches!(o.outcome, Outcome::Acknowledged(_)));
        let acknowledged: Vec<_> = acknowledged.cloned().collect();
        let chosen = acknowledged.get(at.index(acknowledged.len().max(1)))?.clone();
        let read = at.index(history.reads.len());
        match self {
            Self::Lost => {
                let Outcome::Acknowledged(version) = chosen.outcome else { return None };
                history.revisions.retain(|revision| revision.version != version);
                for (version, revision) in (1..).zip(&mut history.revisions) {
                    revision.version = version;
                }
                history.reads.clear();
                history.last = history.revisions.last()?.value.clone();
                for operation in &mut history.operations {
                    if let Outcome::Acknowledged(later) = &mut operation.outcome
                        && *later > version
                    {
                        *later -= 1;
                    }
                }
            }
            Self::Phantom => history.reads[read].value = Some("ghost".to_owned()),
            Self::Leak => {
                history.elsewhere.insert("alien".to_owned(), "`note` of `bea`".to_owned());
                history.reads[read].value = Some("alien".to_owned());
            }
            Self::Duplicate => {
                let last = history.reads.last_mut()?;
                last.value = Some(format!("{} {}", last.value.as_ref()?, chosen.value));
            }
            Self::Gone => {
                let last = history.reads.last_mut()?;
                let left = last.value.as_ref()?.split(' ').filter(|word| *word != chosen.value);
                last.value = Some(left.collect::<Vec<_>>().join(" "));
            }
            Self::Stale => {
                let later = acknowledged.iter().any(|other| other.span.from > chosen.span.to);
                later.then_some(())?;
                history.reads.last_mut()?.value = Some(chosen.value);
            }
            Self::LostUpdate => {
                history.reads.clear();
                let left = history.last.split(' ').filter(|word| *word != chosen.value);
                history.last = left.collect::<Vec<_>>().join(" ");
            }
        }
        Some(history)
    }
}
