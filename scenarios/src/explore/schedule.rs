//! A schedule: who does what, in which order, and what the model does meanwhile. It is written as a scenario file.

use std::fmt::Write as _;

use rand::{RngExt as _, rngs::StdRng};

use crate::{
    Scenario,
    parse::{ParseError, parse},
};

/// The devices that take part: two of one user, one of another.
const DEVICES: [&str; 3] = ["ana.phone", "ana.tablet", "ben.phone"];
/// So many acts are drawn.
const ACTS: std::ops::Range<usize> = 8..24;
/// Steps of the clock, from within an answer to beyond every limit of a turn.
const PAUSES: [&str; 5] = ["10ms", "300ms", "2s", "12s", "61s"];
/// What the model does: how it paces its words, and what goes wrong.
const MOODS: [&str; 8] = [
    "{ default = { pace = { gap = \"200ms\" } } }",
    "{ default = { pace = { gap = \"2s\" } } }",
    "{ default = { pace = { first_token = \"4s\" } } }",
    "{ default = { faults = [{ id = \"stall\", after_events = 3 }] } }",
    "{ default = { faults = [\"socket-open-after-done\"] } }",
    "{ default = { faults = [{ id = \"chunked-cut\", after_events = 3 }] } }",
    "{ default = { faults = [\"too-busy-503\"] } }",
    "{ }",
];

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Connect(usize),
    Disconnect(usize),
    Send(usize),
    /// Waits for the end of a turn.
    Await(usize),
    Advance(usize),
    Mood(usize),
}

/// What happens, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    pub(super) acts: Vec<Act>,
}

impl Schedule {
    /// Draws one that can be played: nobody speaks over a device that is not open.
    pub(super) fn draw(chance: &mut StdRng) -> Self {
        let (mut acts, mut open) = (Vec::new(), [false; DEVICES.len()]);
        let length = chance.random_range(ACTS);
        while acts.len() < length {
            let device = chance.random_range(0..DEVICES.len());
            let act = match (chance.random_range(0..10), open[device]) {
                (0..=1, _) => Act::Advance(chance.random_range(0..PAUSES.len())),
                (2, _) => Act::Mood(chance.random_range(0..MOODS.len())),
                (_, false) => Act::Connect(device),
                (3..=6, true) => Act::Send(device),
                (7..=8, true) => Act::Await(device),
                (_, true) => Act::Disconnect(device),
            };
            match act {
                Act::Connect(device) => open[device] = true,
                Act::Disconnect(device) => open[device] = false,
                _ => {}
            }
            acts.push(act);
        }
        Self { acts }
    }

    /// Writes it as a scenario in which `check` must break once `part` is weak.
    pub(super) fn scenario(&self, part: Option<&str>, check: &str) -> Result<Scenario, Box<ParseError>> {
        let mut text = String::from(
            "schema = 1\nname = \"a schedule that was found by search\"\n\
             hypothesis = \"Whatever users, the model and time do, the invariants hold.\"\n\
             tags = [\"found\"]\n\n\
             [[users]]\nname = \"ana\"\ndevices = [\"phone\", \"tablet\"]\n\n[[users]]\nname = \"ben\"\n",
        );
        for (n, act) in self.acts.iter().enumerate() {
            _ = match act {
                Act::Connect(device) => {
                    step(&mut text, &format!("connect = {{ device = \"{}\" }}", DEVICES[*device]))
                }
                Act::Disconnect(device) => {
                    step(&mut text, &format!("disconnect = {{ device = \"{}\" }}", DEVICES[*device]))
                }
                Act::Send(device) => {
                    let device = DEVICES[*device];
                    step(
                        &mut text,
                        &format!("send = {{ device = \"{device}\", text = \"Is food number {n} fine?\" }}"),
                    )
                }
                Act::Await(device) => {
                    let device = DEVICES[*device];
                    step(
                        &mut text,
                        &format!("await = {{ frame = {{ device = \"{device}\", type = \"done\" }} }}"),
                    )
                }
                Act::Advance(pause) => {
                    step(&mut text, &format!("advance = {{ by = \"{}\" }}", PAUSES[*pause]))
                }
                Act::Mood(mood) => step(&mut text, &format!("llm = {}", MOODS[*mood])),
            };
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

fn step(text: &mut String, step: &str) -> std::fmt::Result {
    write!(text, "\n[[steps]]\n{step}\n")
}
