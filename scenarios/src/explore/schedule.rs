//! A schedule: who does what, in which order, and what the model and the network do meanwhile. It is written as a
//! scenario file.

use std::{collections::BTreeSet, fmt::Write as _};

use rand::{RngExt as _, rngs::StdRng};

use super::reach::{RESTORED, Reach};
use crate::{
    Scenario,
    line::Link,
    parse::{ParseError, parse},
};

/// The users, and the devices that take part: two of one, one of another.
const USERS: [&str; 2] = ["ana", "ben"];
const DEVICES: [&str; 3] = ["ana.phone", "ana.tablet", "ben.phone"];
/// The device that speaks `chat.v1`, where the target does.
const NEWER: usize = 1;
/// So many acts are drawn.
const ACTS: std::ops::Range<usize> = 8..24;
/// The fact that is written, by several writers at once.
const FACT: &str = "diary";
/// The check of what was written.
const NOTHING_LOST: &str = "no word that was acknowledged is lost";

/// One thing that happens. Numbers are places in the lists above, and in those of [`Reach`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Connect(usize),
    Disconnect(usize),
    Reset(usize),
    Send(usize),
    /// Waits for the end of a turn.
    Await(usize),
    Advance(usize),
    Mood(usize),
    Write(usize),
    EndConversation(usize),
    Weather(usize),
}

/// What happens, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    pub(super) acts: Vec<Act>,
}

impl Schedule {
    /// Draws one that can be played: nobody speaks over a device that is not open, waits for an answer that was not asked
    /// for, or calls the API while the database is away.
    pub(super) fn draw(chance: &mut StdRng, reach: &Reach) -> Self {
        let (mut acts, mut stage) = (Vec::new(), Stage::default());
        let length = chance.random_range(ACTS);
        while acts.len() < length {
            let act = stage.draw(chance, reach);
            stage.note(act, reach);
            acts.push(act);
        }
        Self { acts }
    }

    /// Writes it as a scenario in which `check` must break once `part` is weak.
    pub(super) fn scenario(
        &self,
        reach: &Reach,
        (part, check): (Option<&str>, &str),
    ) -> Result<Scenario, Box<ParseError>> {
        let needs: BTreeSet<_> = self.acts.iter().filter_map(|act| act.needs(reach)).collect();
        let needs: Vec<_> = needs.into_iter().collect();
        let mut text = format!(
            "schema = 1\nname = \"a schedule that was found by search\"\n\
             hypothesis = \"Whatever users, the model, the network and time do, the invariants hold.\"\n\
             tags = [\"found\"]\nneeds = {needs:?}\n\n\
             [[users]]\nname = \"ana\"\ndevices = [\"phone\", \"tablet\"]\n\n[[users]]\nname = \"ben\"\n"
        );
        for (n, act) in self.acts.iter().enumerate() {
            _ = write!(text, "\n[[steps]]\n{}\n", act.step(n, reach));
        }
        for (n, user) in USERS.iter().enumerate().filter(|(n, _)| self.acts.contains(&Act::Write(*n))) {
            let check = if n == 0 { NOTHING_LOST.to_owned() } else { format!("{NOTHING_LOST} ({user})") };
            _ = write!(
                text,
                "\n[[expect]]\nid = \"{check}\"\nhistory = {{ user = \"{user}\", key = \"{FACT}\", check = \"no_lost_update\", at_least = 0 }}\n"
            );
        }
        if let Some(part) = part {
            _ = write!(
                text,
                "\n[[sabotage]]\nname = \"the bug that was found\"\npart = \"{part}\"\ncaught_by = \"{check}\"\n"
            );
        }
        parse("found.toml", &text)
    }
}

/// What has come of the acts so far.
#[derive(Default)]
struct Stage {
    open: [bool; DEVICES.len()],
    /// Whether an answer is owed to a device.
    owed: [bool; DEVICES.len()],
    is_database_away: bool,
}

impl Stage {
    fn draw(&self, chance: &mut StdRng, reach: &Reach) -> Act {
        let device = chance.random_range(0..DEVICES.len());
        let (user, api) = (chance.random_range(0..USERS.len()), !self.is_database_away);
        match (chance.random_range(0..17), self.open[device]) {
            (0..=1, _) => Act::Advance(chance.random_range(0..reach.pauses.len())),
            (2..=3, _) => Act::Mood(chance.random_range(0..reach.moods.len())),
            (4, _) if reach.facts && api => Act::Write(user),
            (5, _) if reach.conversations && api => Act::EndConversation(user),
            (6, _) if !reach.weathers.is_empty() => {
                Act::Weather(chance.random_range(0..reach.weathers.len()))
            }
            (_, false) => Act::Connect(device),
            (7, true) => Act::Disconnect(device),
            (8, true) => Act::Reset(device),
            (9..=10, true) if self.owed[device] => Act::Await(device),
            (_, true) => Act::Send(device),
        }
    }

    fn note(&mut self, act: Act, reach: &Reach) {
        match act {
            Act::Connect(device) => self.open[device] = true,
            Act::Disconnect(device) | Act::Reset(device) => {
                (self.open[device], self.owed[device]) = (false, false);
            }
            Act::Send(device) => self.owed[device] = true,
            Act::Await(device) => self.owed[device] = false,
            Act::Weather(n) if reach.weathers[n].0 == Link::Database => {
                self.is_database_away = reach.weathers[n].1 != RESTORED;
            }
            _ => {}
        }
    }
}

impl Act {
    /// Returns what a target must be able to do for it.
    fn needs(self, reach: &Reach) -> Option<&'static str> {
        match self {
            Self::Connect(NEWER) if reach.newer => Some("chat-v1"),
            Self::Write(_) => Some("facts"),
            Self::EndConversation(_) => Some("conversations"),
            Self::Weather(n) => Some(reach.weathers[n].0.need()),
            _ => None,
        }
    }

    /// Writes it as a step, the nth of all.
    fn step(self, n: usize, reach: &Reach) -> String {
        match self {
            Self::Connect(NEWER) if reach.newer => {
                format!("connect = {{ device = \"{}\", protocol = \"chat.v1\" }}", DEVICES[NEWER])
            }
            Self::Connect(device) => format!("connect = {{ device = \"{}\" }}", DEVICES[device]),
            Self::Disconnect(device) => format!("disconnect = {{ device = \"{}\" }}", DEVICES[device]),
            Self::Reset(device) => format!("client = {{ device = \"{}\", do = \"reset\" }}", DEVICES[device]),
            Self::Send(device) => {
                format!("send = {{ device = \"{}\", text = \"Is food number {n} fine?\" }}", DEVICES[device])
            }
            Self::Await(device) => {
                format!("await = {{ frame = {{ device = \"{}\", type = \"done\" }} }}", DEVICES[device])
            }
            Self::Advance(pause) => format!("advance = {{ by = \"{}\" }}", reach.pauses[pause]),
            Self::Mood(mood) => format!("llm = {}", reach.moods[mood]),
            Self::Write(user) => format!(
                "write_facts = {{ user = \"{}\", key = \"{FACT}\", writers = 3, each = 2, how = \"append\" }}",
                USERS[user]
            ),
            Self::EndConversation(user) => format!(
                "http = {{ user = \"{}\", method = \"POST\", path = \"/api/conversations/current/end\" }}",
                USERS[user]
            ),
            Self::Weather(n) => {
                let (link, weather) = reach.weathers[n];
                format!("network = {{ link = \"{}\", {weather} }}", link.name())
            }
        }
    }
}
