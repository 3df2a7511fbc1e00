//! Everything that was seen of one scenario, ready to be judged.

use std::{collections::BTreeMap, time::Duration};

use clock::Instant;
use mock_deepseek::Exchange;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    expr::Settings,
    history::{FactHistory, SuggestionHistory},
    record::{Event, What},
    result::Check,
    transcript::Origin,
};

/// What was seen, between the first step and the end of the last turn.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Observation {
    #[serde(with = "crate::evidence::nanoseconds")]
    #[schemars(with = "u64")]
    pub(crate) began: Instant,
    #[serde(with = "crate::evidence::nanoseconds")]
    #[schemars(with = "u64")]
    pub(crate) ended: Instant,
    pub(crate) events: Vec<Event>,
    #[serde(with = "crate::evidence::exchanges")]
    #[schemars(with = "Vec<crate::evidence::Asked>")]
    pub(crate) exchanges: Vec<Exchange>,
    /// How many requests the model had got when its script was changed for the first time.
    pub(crate) first_script: Option<usize>,
    pub(crate) histories: Vec<FactHistory>,
    pub(crate) decisions: Vec<SuggestionHistory>,
    /// From when the times of histories count.
    #[serde(with = "crate::evidence::nanoseconds")]
    #[schemars(with = "u64")]
    pub(crate) histories_began: Instant,
    /// Sum of each metric by name and labels, if the target shows its metrics.
    pub(crate) metrics: Option<Vec<Metric>>,
    /// Panics of the target's own thread; none where they cannot be seen.
    pub(crate) panics: Option<Vec<String>>,
    pub(crate) log: Vec<String>,
    /// What became of the target's process, where it was started here.
    #[serde(default)]
    pub(crate) process: Option<ProcessSeen>,
    /// The steady-state probes.
    pub(crate) steady: Vec<Check>,
    pub(crate) settings: Settings,
    /// The target's settings before the scenario chose its own.
    pub(crate) usual_settings: Settings,
    pub(crate) slack: Duration,
}

/// A metric at the end.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// What became of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ProcessSeen {
    /// How it ended, if it has and nobody here wanted it to; with the last lines that it wrote.
    pub(crate) death: Option<String>,
    /// What it held when the scenario began, in bytes, and the most at any time of it; nothing where that cannot be seen.
    pub(crate) memory: Option<(u64, u64)>,
    /// How much more than at the beginning it may hold, in bytes.
    pub(crate) growth_max: u64,
}

/// A named moment: when, and what had been seen before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) at: Instant,
    events: usize,
    exchanges: usize,
}

impl Mark {
    /// Returns whether something was seen after this moment.
    pub(crate) fn is_before(&self, origin: Origin) -> bool {
        match origin {
            Origin::Event(n) => n >= self.events,
            Origin::Exchange(n) | Origin::ExchangeEnd(n) => n >= self.exchanges,
        }
    }
}

impl Observation {
    /// Returns a named moment; `start` is the first step.
    pub(crate) fn mark(&self, name: &str) -> Option<Mark> {
        if name == "start" {
            return Some(Mark { at: self.began, events: 0, exchanges: 0 });
        }
        self.events.iter().enumerate().find_map(|(events, event)| match &event.what {
            What::Mark { name: mark, exchanges } if mark == name => {
                Some(Mark { at: event.at, events, exchanges: *exchanges })
            }
            _ => None,
        })
    }
}
