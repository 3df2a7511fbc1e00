//! A fault: an entry of the catalogue with values for its parameters.
//!
//! What a fault *is* stands in its file; what it *does* is a [`Behaviour`], one small file each
//! under `fault/`. A behaviour shapes the draft (what the model says) or edits the answer (what goes
//! over the wire), never both times of day or sockets. Invariant: everything that a behaviour puts
//! in carries its marks; where it finds no place, it changes nothing and the journal says so.

mod address;
mod blank;
mod burst;
mod delta;
mod drip;
mod edit;
mod finish;
mod form;
mod frames;
mod gzip;
mod handshake;
mod header;
mod hollow;
mod huge;
mod insert;
mod interleave;
mod language;
mod length;
mod liveness;
mod markup;
mod omit;
mod parted;
mod repeat;
mod respond;
mod retry_date;
mod split;
mod sse;
mod stale;
mod stall;
mod think_tag;
mod tools;
mod torso;
mod truncate;
mod two_lengths;
mod unanswered;
mod zstd;

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, de::DeserializeOwned};
use toml::{Table, Value};

use crate::{
    answer::{Answer, Marks},
    catalogue::{FaultInfo, catalogue, nearest},
    dead_end,
    draft::Draft,
    duration::Lasts,
};

/// What a fault does. Both steps do nothing unless they are written.
pub(crate) trait Behaviour: fmt::Debug + Send + Sync {
    /// Changes what the model says.
    fn shape(&self, _draft: &mut Draft, _marks: Marks) {}

    /// Changes what goes over the wire.
    fn apply(&self, _answer: &mut Answer, _marks: Marks) {}

    /// Says for how long the handshake of TLS stands still before it begins.
    fn handshake(&self) -> Option<Lasts> {
        None
    }

    /// Returns where a client must be pointed for it to happen, if it cannot happen in an exchange.
    fn dead_end(&self) -> Option<dead_end::Kind> {
        None
    }
}

/// Finds a behaviour by the name that fault files use.
fn behaviour(name: &str, config: Table) -> Option<Result<Arc<dyn Behaviour>, toml::de::Error>> {
    Some(match name {
        "address" => load::<address::Address>(config),
        "blank" => load::<blank::Blank>(config),
        "burst" => load::<burst::Burst>(config),
        "delta" => load::<delta::Delta>(config),
        "drip" => load::<drip::Drip>(config),
        "edit" => load::<edit::Edit>(config),
        "finish" => load::<finish::Finish>(config),
        "frames" => load::<frames::Frames>(config),
        "handshake" => load::<handshake::Handshake>(config),
        "form" => load::<form::Reformed>(config),
        "gzip" => load::<gzip::Gzip>(config),
        "header" => load::<header::Header>(config),
        "hollow" => load::<hollow::Hollow>(config),
        "huge" => load::<huge::Huge>(config),
        "insert" => load::<insert::Insert>(config),
        "interleave" => load::<interleave::Interleave>(config),
        "language" => load::<language::Language>(config),
        "length" => load::<length::Length>(config),
        "liveness" => load::<liveness::Liveness>(config),
        "markup" => load::<markup::Markup>(config),
        "omit" => load::<omit::Omit>(config),
        "parted" => load::<parted::Parted>(config),
        "repeat" => load::<repeat::Repeat>(config),
        "respond" => load::<respond::Respond>(config),
        "retry_date" => load::<retry_date::RetryDate>(config),
        "split" => load::<split::Split>(config),
        "sse" => load::<sse::Sse>(config),
        "stale" => load::<stale::Stale>(config),
        "stall" => load::<stall::Stall>(config),
        "think_tag" => load::<think_tag::ThinkTag>(config),
        "tools" => load::<tools::Tools>(config),
        "torso" => load::<torso::Torso>(config),
        "truncate" => load::<truncate::Truncate>(config),
        "two_lengths" => load::<two_lengths::TwoLengths>(config),
        "unanswered" => load::<unanswered::Unanswered>(config),
        "zstd" => load::<zstd::Zstd>(config),
        _ => return None,
    })
}

fn load<B: Behaviour + DeserializeOwned + 'static>(
    config: Table,
) -> Result<Arc<dyn Behaviour>, toml::de::Error> {
    Ok(Arc::new(B::deserialize(config)?))
}

/// A fault of the catalogue, ready to be planned.
///
/// ```
/// use mock_deepseek::Fault;
///
/// assert_eq!(Fault::parse("stall;after_events=3")?.id(), "stall");
/// assert!(Fault::parse("stall;after_evnts=3").is_err());
/// # Ok::<(), mock_deepseek::FaultError>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Fault {
    info: &'static FaultInfo,
    /// What differs from the defaults.
    values: BTreeMap<String, Value>,
    behaviour: Arc<dyn Behaviour>,
}

/// A fault could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No such id.
    #[error("fault `{id}` is not in the catalogue{}; `gauntlet faults` lists them", did_you_mean(*.nearest))]
    Unknown {
        /// What was asked for.
        id: String,
        /// The nearest id, if one is near.
        nearest: Option<&'static str>,
    },
    /// No such parameter.
    #[error("fault `{id}` has no parameter `{name}`; it has {known}")]
    UnknownParameter {
        /// The fault.
        id: &'static str,
        /// What was given.
        name: String,
        /// What there is, in words.
        known: String,
    },
    /// A value that does not fit.
    #[error("fault `{id}` does not take these parameters: {reason}")]
    BadValue {
        /// The fault.
        id: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// It strikes before there is a connection, and so before anything can be asked for.
    #[error(
        "fault `{id}` strikes before there is a connection, so it cannot be part of an answer; point the client at \
         the address that `gauntlet mock --fault {id}` prints, or at that of a `DeadEnd`"
    )]
    Outside {
        /// The fault.
        id: &'static str,
    },
    /// A parameter without a value.
    #[error("`{text}` is not `name=value`; write `{id};name=value`")]
    Syntax {
        /// The fault.
        id: String,
        /// What was given.
        text: String,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|id| format!(", did you mean `{id}`")).unwrap_or_default()
}

impl Fault {
    /// Makes the fault with its defaults.
    pub fn new(id: &str) -> Result<Self, FaultError> {
        Self::with(id, BTreeMap::new())
    }

    /// Makes the fault with some parameters set.
    pub fn with(id: &str, values: BTreeMap<String, Value>) -> Result<Self, FaultError> {
        let unknown = || FaultError::Unknown { id: id.to_owned(), nearest: catalogue().nearest(id) };
        let info = catalogue().get(id).ok_or_else(unknown)?;
        if let Some(name) = values.keys().find(|name| !info.parameters.contains_key(*name)) {
            return Err(info.unknown_parameter(name));
        }
        let breaks_lines = |value: &Value| value.as_str().is_some_and(|text| text.contains(char::is_control));
        if let Some((name, _)) = values.iter().find(|(_, value)| breaks_lines(value)) {
            let reason = format!("`{name}` holds a control character, which would end a header");
            return Err(FaultError::BadValue { id: info.id, reason });
        }
        let mut config = info.settings.clone();
        config.extend(
            info.parameters.iter().map(|(name, parameter)| (name.clone(), parameter.default.clone())),
        );
        config.extend(values.clone());
        let bad = |reason| FaultError::BadValue { id: info.id, reason };
        let behaviour = behaviour(&info.behaviour, config)
            .ok_or_else(|| bad(format!("behaviour `{}` does not exist", info.behaviour)))?
            .map_err(|error| bad(error.message().to_owned()))?;
        Ok(Self { info, values, behaviour })
    }

    /// Reads `id` or `id;name=value;name=value`, as the header and the command line have it.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        let mut parts = text.split(';').map(str::trim);
        let id = parts.next().unwrap_or_default();
        let values = parts.filter(|part| !part.is_empty()).map(|part| {
            let wrong = || FaultError::Syntax { id: id.to_owned(), text: part.to_owned() };
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            Ok((name.trim().to_owned(), literal(value.trim())))
        });
        Self::with(id, values.collect::<Result<_, FaultError>>()?)
    }

    /// Reads faults of an exchange that are separated by `separator`.
    pub(crate) fn parse_list(text: &str, separator: char) -> Result<Vec<Self>, FaultError> {
        let parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| Self::parse(part)?.inside()).collect()
    }

    /// Refuses a fault that cannot be part of an answer: one of [`Layer::Address`](crate::Layer::Address).
    pub fn inside(self) -> Result<Self, FaultError> {
        match self.behaviour.dead_end() {
            Some(_) => Err(FaultError::Outside { id: self.id() }),
            None => Ok(self),
        }
    }

    /// Returns the id.
    pub fn id(&self) -> &'static str {
        self.info.id
    }

    /// Returns the entry of the catalogue.
    pub fn info(&self) -> &'static FaultInfo {
        self.info
    }

    pub(crate) fn behaviour(&self) -> &dyn Behaviour {
        &*self.behaviour
    }
}

impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id() && self.values == other.values
    }
}

impl FaultInfo {
    fn unknown_parameter(&self, name: &str) -> FaultError {
        let names = self.parameters.keys().map(String::as_str);
        let near = nearest(name, names.clone());
        let list = names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let known = if list.is_empty() { "none".to_owned() } else { list + &did_you_mean(near) };
        FaultError::UnknownParameter { id: self.id, name: name.to_owned(), known }
    }
}

/// Reads a value of a header or a command line: a number where it is one, else text.
fn literal(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from)
}

/// A fault as scripts write it: an id, or a table with `id` and parameters.
#[derive(Deserialize)]
#[serde(untagged)]
enum Raw {
    Id(String),
    Table(BTreeMap<String, Value>),
}

impl TryFrom<Raw> for Fault {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        match raw {
            Raw::Id(text) => Self::parse(&text),
            Raw::Table(mut values) => match values.remove("id") {
                Some(Value::String(id)) => Self::with(&id, values),
                _ => {
                    return Err(
                        "a fault needs an `id`: write `{ id = \"stall\", after_events = 3 }`".to_owned()
                    );
                }
            },
        }
        .and_then(Self::inside)
        .map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_from_text() {
        let fault = Fault::parse("stall; after_events=2; lasts=3s").unwrap();

        assert_eq!(
            fault,
            Fault::with("stall", [("after_events".into(), 2.into()), ("lasts".into(), "3s".into())].into())
                .unwrap()
        );
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused() {
        let error = Fault::parse("stall;after_events=soon").unwrap_err();

        assert!(error.to_string().starts_with("fault `stall` does not take these parameters: "), "{error}");
    }

    #[test]
    fn a_parameter_without_a_value_is_refused_with_a_way_out() {
        let error = Fault::parse("stall;after_events").unwrap_err();

        assert_eq!(error.to_string(), "`after_events` is not `name=value`; write `stall;name=value`");
    }

    #[test]
    fn a_near_miss_is_told() {
        let error = Fault::new("crfl").unwrap_err();

        assert_eq!(
            error.to_string(),
            "fault `crfl` is not in the catalogue, did you mean `crlf`; `gauntlet faults` lists them"
        );
    }

    #[test]
    fn a_value_that_would_end_a_header_is_refused() {
        let error = Fault::parse("wrong-content-type;value=a\r\nx-evil: 1").unwrap_err();

        assert!(error.to_string().contains("`value` holds a control character"), "{error}");
    }
}
