//! A suggestion that many devices decide upon at once: it is confirmed once, or dismissed, and everybody hears the same.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Proof, Span};

/// What a device wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// A reminder of the suggestion.
    Confirm,
    /// To hear no more of it.
    Dismiss,
}

/// What a device was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The reminder is made: this one.
    Confirmed(String),
    /// The suggestion is dismissed.
    Dismissed,
    /// It was confirmed before, by this reminder if it was named.
    Used(Option<String>),
    /// It can no longer be confirmed.
    Gone,
    /// Something else, with this status.
    Refused(u16),
    /// Nobody knows: no answer came. It may have happened.
    Nothing,
}

/// One decision and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// Which device.
    pub device: String,
    /// Whether it belongs to somebody whose suggestion it is not.
    pub is_strangers: bool,
    /// What it wanted.
    pub choice: Choice,
    /// What it was told.
    pub told: Told,
    /// When.
    pub span: Span,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (device, span) = (&self.device, self.span);
        match &self.told {
            Told::Confirmed(reminder) => write!(f, "{device} confirmed it as {reminder} ({span})"),
            Told::Dismissed => write!(f, "{device} dismissed it ({span})"),
            Told::Used(Some(reminder)) => write!(f, "{device} was told that it is {reminder} ({span})"),
            Told::Used(None) => write!(f, "{device} was told that it is used ({span})"),
            Told::Gone => write!(f, "{device} was told that it is gone ({span})"),
            Told::Refused(status) => write!(f, "{device} was refused with {status} ({span})"),
            Told::Nothing => write!(f, "{device} was told nothing ({span})"),
        }
    }
}

/// A record of decisions upon one suggestion.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct SuggestionHistory {
    /// The name that the suggestion has in the scenario.
    pub name: String,
    /// All decisions.
    pub decisions: Vec<Decision>,
    /// The reminders of the suggestion at the end.
    pub reminders: Vec<String>,
    /// Whether it is still offered at the end.
    pub is_offered: bool,
}

impl SuggestionHistory {
    /// Returns how many decisions were acknowledged.
    pub fn acknowledged(&self) -> usize {
        let done = |decision: &&Decision| matches!(decision.told, Told::Confirmed(_) | Told::Dismissed);
        self.decisions.iter().filter(done).count()
    }
}

/// Checks that a suggestion was decided upon once: one reminder that everybody who confirmed hears of and that is there
/// at the end, or a dismissal and none; and that nobody else had a say. The error is the smallest proof.
pub fn decided_once(history: &SuggestionHistory) -> Result<(), Proof> {
    no_stranger(history)?;
    let heard = Heard::new(history);
    heard.one_outcome()?;
    heard.what_is_there(history)?;
    heard.what_others_were_told(history)?;
    match heard.confirmed.or(heard.dismissed) {
        Some(decision) if history.is_offered => {
            wrong(format!("{decision}, and it is still offered"), &[decision])
        }
        _ => Ok(()),
    }
}

type Checked = Result<(), Proof>;

fn wrong(told: String, decisions: &[&Decision]) -> Checked {
    Err(Proof::new(told, decisions.iter().map(|decision| (decision.span.from, decision.to_string()))))
}

/// Whoever it does not belong to hears nothing but a refusal.
fn no_stranger(history: &SuggestionHistory) -> Checked {
    let is_wrong = |told: &Told| !matches!(told, Told::Refused(_) | Told::Nothing);
    match history.decisions.iter().find(|decision| decision.is_strangers && is_wrong(&decision.told)) {
        Some(decision) => wrong(format!("{decision}, and it is somebody else's"), &[decision]),
        None => Ok(()),
    }
}

/// What the owner's devices heard.
struct Heard<'a> {
    own: Vec<&'a Decision>,
    confirmed: Option<&'a Decision>,
    dismissed: Option<&'a Decision>,
    /// A confirmation of which nobody knows.
    unknown: Option<&'a Decision>,
}

impl<'a> Heard<'a> {
    fn new(history: &'a SuggestionHistory) -> Self {
        let own: Vec<_> = history.decisions.iter().filter(|decision| !decision.is_strangers).collect();
        let first = |is_it: fn(&Decision) -> bool| own.iter().copied().find(|decision| is_it(decision));
        Self {
            confirmed: first(|decision| matches!(decision.told, Told::Confirmed(_))),
            dismissed: first(|decision| decision.told == Told::Dismissed),
            unknown: first(|decision| decision.told == Told::Nothing && decision.choice == Choice::Confirm),
            own,
        }
    }

    fn one_outcome(&self) -> Checked {
        let Some(confirmed) = self.confirmed else { return self.somebody_decided() };
        let another =
            |other: &&&Decision| matches!(other.told, Told::Confirmed(_)) && other.told != confirmed.told;
        if let Some(another) = self.own.iter().find(another) {
            return wrong(format!("{confirmed}, and {another}: confirmed twice"), &[confirmed, another]);
        }
        match self.dismissed {
            Some(dismissed) => wrong(format!("{confirmed}, and {dismissed}: both"), &[confirmed, dismissed]),
            None => Ok(()),
        }
    }

    /// Whoever asks in time must be able to decide.
    fn somebody_decided(&self) -> Checked {
        let is_refused = |decision: &&Decision| matches!(decision.told, Told::Refused(_));
        // What has expired cannot be dismissed any more, but whoever confirms it hears that it is gone.
        match self.own.iter().find(|decision| decision.choice == Choice::Confirm) {
            Some(first) if self.own.iter().all(is_refused) => {
                wrong(format!("{first}, and so were all: nobody could decide"), &[first])
            }
            _ => Ok(()),
        }
    }

    fn what_is_there(&self, history: &SuggestionHistory) -> Checked {
        if let [one, other, ..] = history.reminders.as_slice() {
            return wrong(format!("{one} and {other} are both there: confirmed twice"), &[]);
        }
        let there = history.reminders.first();
        match (self.confirmed, there) {
            (Some(confirmed), None) => wrong(format!("{confirmed}, and it is not there: lost"), &[confirmed]),
            (Some(confirmed), Some(there)) if confirmed.told != Told::Confirmed(there.clone()) => {
                wrong(format!("{confirmed}, and there is {there}"), &[confirmed])
            }
            (None, Some(there)) => match (self.dismissed, self.unknown) {
                (Some(dismissed), _) => wrong(format!("{dismissed}, and {there} is there"), &[dismissed]),
                (None, None) => {
                    wrong(format!("{there} is there, and nobody was told that it was made: phantom"), &[])
                }
                (None, Some(_)) => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn what_others_were_told(&self, history: &SuggestionHistory) -> Checked {
        for decision in &self.own {
            let is_after = |other: &&Decision| decision.span.from > other.span.to;
            let is_before = |other: &&Decision| decision.span.to < other.span.from;
            match (&decision.told, self.confirmed) {
                (Told::Used(Some(reminder)), _) if !history.reminders.contains(reminder) => {
                    return wrong(format!("{decision}, which is not there"), &[decision]);
                }
                (Told::Used(_), None) if self.unknown.is_none() => {
                    return wrong(format!("{decision}, and nobody had confirmed it"), &[decision]);
                }
                (Told::Used(_), Some(confirmed)) if is_before(&confirmed) && self.unknown.is_none() => {
                    return wrong(format!("{decision} before {confirmed}"), &[decision, confirmed]);
                }
                (Told::Gone, Some(confirmed)) if is_after(&confirmed) => {
                    return wrong(format!("{confirmed}, and later {decision}"), &[confirmed, decision]);
                }
                (Told::Gone, Some(confirmed)) if is_before(&confirmed) => {
                    return wrong(
                        format!("{decision}, and later {confirmed}: it came back"),
                        &[decision, confirmed],
                    );
                }
                _ => {}
            }
        }
        Ok(())
    }
}
