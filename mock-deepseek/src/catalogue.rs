//! The catalogue of faults: what each is, where it was seen, and which parameters it takes.
//!
//! One file per fault under `faults/`, embedded at build time; the file's name is the fault's id.
//! Invariant: an entry whose behaviour does not exist, or whose defaults that behaviour refuses,
//! does not pass the tests of this crate.

mod page;
mod source;
mod words;

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

pub use page::catalogue_page;
pub use source::Source;
pub use words::UnknownName;

static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/faults.rs"));

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::embedded);

/// Returns the embedded catalogue.
pub fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

/// All faults, by id.
#[derive(Debug)]
pub struct Catalogue {
    entries: BTreeMap<&'static str, FaultInfo>,
}

/// What is known about one fault.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultInfo {
    /// The stable name.
    #[serde(skip)]
    pub id: &'static str,
    /// One line: what happens.
    pub title: String,
    /// Which part of the exchange is wrong.
    pub layer: Layer,
    /// At which moment of the exchange.
    pub place: Place,
    /// Whether a sound client must succeed or must notice.
    pub kind: FaultKind,
    /// Which replies it can happen to.
    #[serde(default)]
    pub mode: Mode,
    /// What must carry the exchange for it to happen.
    #[serde(default)]
    pub carrier: Carrier,
    /// What goes over the wire.
    pub wire: String,
    /// What it broke in public.
    pub broke: String,
    /// Where it was seen: `owner/repository#number`, a URL, or what else is known.
    pub sources: Vec<String>,
    /// What may be set, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// The Rust file that does it.
    pub(crate) behaviour: String,
    /// What the behaviour is told beside the parameters.
    #[serde(default)]
    pub(crate) settings: Table,
}

/// A parameter of a fault.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The value when none is given.
    pub default: Value,
    /// What it is counted in.
    pub unit: String,
    /// What it does.
    pub about: String,
}

/// The layer of an exchange that a fault breaks. Faults of one plan act in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// What the model says.
    Semantics,
    /// The JSON of an event or of the body.
    Json,
    /// Server-sent events: lines, ends, encoding.
    Sse,
    /// Status line and headers.
    Head,
    /// When things are written.
    Time,
    /// How the body is framed in HTTP.
    Body,
    /// TLS.
    Tls,
    /// The connection.
    Tcp,
    /// What depends on other requests: concurrency, balance.
    State,
    /// Where the client connects to. Such a fault is never part of an answer: see [`DeadEnd`](crate::DeadEnd).
    Address,
}

/// The moment at which a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// While client and server shake hands, before there is a request.
    Handshake,
    /// Before there is a connection.
    BeforeConnection,
    /// Before the status line.
    BeforeHead,
    /// In the status line and headers, and thus in the whole answer.
    Head,
    /// After the head, before the first event.
    BeforeFirstEvent,
    /// After some events.
    AfterEvents,
    /// In each event.
    EveryEvent,
    /// At or after the event with the finish reason.
    AtFinish,
    /// After `[DONE]`.
    AfterDone,
    /// When the next request comes on the same connection.
    NextRequest,
}

/// What a sound client does about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// It is allowed: a sound client must succeed.
    Legitimate,
    /// It is a failure: a sound client must notice.
    Failure,
}

/// The replies that a fault can happen to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Both.
    #[default]
    Any,
    /// Only streams of events.
    Stream,
    /// Only replies that are one JSON object.
    Single,
}

/// What must carry an exchange for a fault to happen to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carrier {
    /// Anything.
    #[default]
    Any,
    /// HTTP/1, plain or under TLS: HTTP/2 frames bodies in its own way.
    Http1,
    /// HTTP/2.
    Http2,
    /// TLS, whatever it carries.
    Tls,
}

impl FaultInfo {
    /// Goes through where it was seen.
    pub fn sources(&self) -> impl Iterator<Item = Source<'_>> {
        self.sources.iter().map(|text| Source::read(text))
    }

    /// Returns the fault as one asks for it, with its first parameter set to its default.
    pub fn example(&self) -> String {
        let first = self.parameters.iter().find(|(_, parameter)| parameter.default.as_str() != Some(""));
        first.map_or_else(
            || self.id.to_owned(),
            |(name, parameter)| format!("{};{name}={}", self.id, parameter.value()),
        )
    }
}

impl Parameter {
    /// Returns the default as it is written behind `name=`.
    pub fn value(&self) -> String {
        self.default.as_str().map_or_else(|| self.default.to_string(), ToOwned::to_owned)
    }
}

impl Catalogue {
    /// Returns the entry of this id.
    pub fn get(&self, id: &str) -> Option<&FaultInfo> {
        self.entries.get(id)
    }

    /// Goes through the entries in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &FaultInfo> {
        self.entries.values()
    }

    /// Returns the id that is nearest to a misspelt one, if any is near.
    pub fn nearest(&self, id: &str) -> Option<&'static str> {
        nearest(id, self.entries.keys().copied())
    }

    /// Reads the embedded files.
    ///
    /// # Panics
    ///
    /// When a file that was compiled in is malformed; the tests of this crate read them all.
    fn embedded() -> Self {
        let read = |&(id, text): &(&'static str, &str)| match toml::from_str::<FaultInfo>(text) {
            Ok(info) => (id, FaultInfo { id, ..info }),
            Err(error) => panic!("embedded fault file `{id}.toml` is malformed: {error}"),
        };
        Self { entries: FILES.iter().map(read).collect() }
    }
}

/// Returns the candidate with the fewest edits, if they are few for the length of the word; of several, one as long.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = word.chars().count().div_ceil(3);
    candidates
        .map(|candidate| (edits(word, candidate), candidate.len().abs_diff(word.len()), candidate))
        .filter(|&(distance, ..)| distance <= limit)
        .min()
        .map(|(.., candidate)| candidate)
}

/// Counts insertions, deletions and replacements between two words.
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.chars().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;

    #[test]
    fn each_entry_can_be_made_with_its_defaults() {
        for info in catalogue().iter() {
            Fault::new(info.id).unwrap();
        }
    }

    #[test]
    fn each_entry_says_what_it_is_and_where_it_was_seen_m4() {
        for info in catalogue().iter() {
            let texts = [&info.title, &info.wire, &info.broke];
            assert!(texts.iter().all(|text| !text.trim().is_empty()), "{}", info.id);
            assert!(!info.sources.is_empty(), "{} has no source", info.id);
        }
    }

    #[test]
    fn the_catalogue_holds_what_the_scenarios_need() {
        let needed = "empty-200-body blank-lines-before-json sse-keepalive-comments keepalive-only-forever \
            stall-mid-reasoning accept-no-answer insufficient-system-resource concurrency-429 too-busy-503 html-200 \
            eof-no-done eof-no-finish chunked-cut tcp-rst-mid-stream token-drip utf8-split crlf truncated-json-event \
            empty-choices-chunk error-in-200-stream";

        for id in needed.split_whitespace() {
            assert!(catalogue().get(id).is_some(), "{id}");
        }
    }

    #[test]
    fn the_nearest_id_is_found_and_a_far_one_is_not() {
        assert_eq!(catalogue().nearest("html200"), Some("html-200"));
        assert_eq!(catalogue().nearest("something-else-altogether"), None);
    }
}
