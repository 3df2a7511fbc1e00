//! What was seen of a scenario, kept in a file, so that it can be judged again.
//!
//! Invariant: what is read back gives the same judgement as what was written. A file of another version is
//! refused in words. Names are not redacted here: judging needs them as they were.

use std::{fs, io, path::Path};

use clock::Instant;
use mock_deepseek::{Ended, Exchange, How, PlannedFault};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::{Scenario, observation::Observation};

/// Version of the shape of an evidence file; raised when a reader could break.
pub const EVIDENCE_VERSION: u32 = 1;

/// Folder of the evidence within that of a report.
pub const FOLDER: &str = "evidence";

/// Most bytes of one file; a scenario that saw more is not kept.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// All that a judgement rests on.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Evidence")]
pub struct Evidence {
    /// See [`EVIDENCE_VERSION`].
    schema_version: u32,
    /// Where the scenario is written.
    pub(crate) file: String,
    /// The text of that file as it was judged.
    pub(crate) source: String,
    /// What was seen. Times are nanoseconds on the scenario's clock.
    pub(crate) seen: Observation,
}

/// Why evidence cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The file cannot be read.
    #[error("cannot read the evidence `{file}`: {source}")]
    Io {
        /// Its path.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// It is no evidence, or was changed into something else.
    #[error("`{file}` is no evidence of a scenario: {source}")]
    Shape {
        /// Its path.
        file: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Another program wrote it.
    #[error(
        "`{file}` has version {found} of the format, this program reads {EVIDENCE_VERSION}; run the scenario again"
    )]
    Version {
        /// Its path.
        file: String,
        /// The version that it has.
        found: u32,
    },
}

/// The part of an evidence file that every version has.
#[derive(Deserialize)]
struct Head {
    schema_version: u32,
}

impl Evidence {
    pub(crate) fn new(scenario: &Scenario, seen: Observation) -> Self {
        let (file, source) = (scenario.file.clone(), scenario.source.clone());
        Self { schema_version: EVIDENCE_VERSION, file, source, seen }
    }

    /// Reads what [`keep`] wrote; `None` where there is no such file.
    pub fn read(folder: &Path, id: &str) -> Result<Option<Self>, EvidenceError> {
        let path = folder.join(format!("{id}.json"));
        let file = path.display().to_string();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(EvidenceError::Io { file, source }),
        };
        match serde_json::from_str::<Head>(&text) {
            Ok(Head { schema_version: EVIDENCE_VERSION }) => {}
            Ok(Head { schema_version: found }) => return Err(EvidenceError::Version { file, found }),
            Err(source) => return Err(EvidenceError::Shape { file, source }),
        }
        serde_json::from_str(&text).map(Some).map_err(|source| EvidenceError::Shape { file, source })
    }
}

/// Writes the evidence of a scenario into a folder, or takes away that of an earlier run.
pub(crate) fn keep(folder: &Path, id: &str, evidence: Option<&Evidence>) -> io::Result<()> {
    let path = folder.join(format!("{id}.json"));
    let text = evidence.map(serde_json::to_vec).transpose()?;
    match text.filter(|text| text.len() <= BYTES_MAX) {
        Some(text) => {
            fs::create_dir_all(folder)?;
            fs::write(path, text)
        }
        None => match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        },
    }
}

/// Returns the JSON Schema of an evidence file.
pub fn schema() -> Schema {
    schema_for!(Evidence)
}

/// Instants as nanoseconds since the beginning of their clock.
pub(crate) mod nanoseconds {
    use std::time::Duration;

    use super::{Deserialize, Deserializer, Instant, Serializer};

    pub(crate) fn serialize<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(at.since_origin().as_nanos()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        Ok(Instant::from_origin(Duration::from_nanos(u64::deserialize(deserializer)?)))
    }
}

/// Exchanges with the model, as far as a judgement asks for them.
pub(crate) mod exchanges {
    use super::{Asked, Deserialize, Deserializer, Exchange, Serialize, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(all: &[Exchange], serializer: S) -> Result<S::Ok, S::Error> {
        all.iter().map(Asked::of).collect::<Vec<_>>().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Exchange>, D::Error> {
        let all = Vec::<Asked>::deserialize(deserializer)?;
        all.into_iter().map(Asked::exchange).collect::<Result<_, _>>().map_err(de::Error::custom)
    }
}

/// A request to the model and what became of it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Asked {
    #[serde(with = "nanoseconds")]
    #[schemars(with = "u64")]
    at: Instant,
    path: String,
    /// The messages of its prompt.
    messages: Value,
    /// Whatever else it asked for, by name.
    #[serde(default)]
    others: Map<String, Value>,
    /// The rule of the script that answered.
    rule: Option<String>,
    /// The planned faults, and whether each went over the wire.
    faults: Vec<(String, bool)>,
    events: u64,
    status: Option<u16>,
    end: Option<AskedEnd>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct AskedEnd {
    #[serde(with = "nanoseconds")]
    #[schemars(with = "u64")]
    at: Instant,
    how: AskedHow,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AskedHow {
    Completed,
    Cut,
    ClientHungUp,
}

impl Asked {
    fn of(exchange: &Exchange) -> Self {
        let how = |how| match how {
            How::Completed => AskedHow::Completed,
            How::Cut => AskedHow::Cut,
            How::ClientHungUp => AskedHow::ClientHungUp,
        };
        let mut others = exchange.json.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
        let messages = others.remove("messages");
        Self {
            at: exchange.at,
            path: exchange.path.clone(),
            messages: messages.unwrap_or_default(),
            others,
            rule: exchange.rule.clone(),
            faults: exchange.faults.iter().map(|fault| (fault.id.to_owned(), fault.fired)).collect(),
            events: exchange.events,
            status: exchange.status,
            end: exchange.end.map(|end| AskedEnd { at: end.at, how: how(end.how) }),
        }
    }

    /// Makes the exchange again, without the bytes that nobody judges.
    fn exchange(mut self) -> Result<Exchange, String> {
        let how = |how| match how {
            AskedHow::Completed => How::Completed,
            AskedHow::Cut => How::Cut,
            AskedHow::ClientHungUp => How::ClientHungUp,
        };
        let planned = |(id, fired): (String, bool)| {
            let known = mock_deepseek::catalogue().get(&id).ok_or(format!("there is no fault `{id}`"))?;
            Ok::<_, String>(PlannedFault { id: known.id, fired })
        };
        self.others.insert("messages".to_owned(), self.messages);
        Ok(Exchange {
            number: 0,
            at: self.at,
            connection: 0,
            nth: 0,
            method: "POST".to_owned(),
            path: self.path,
            headers: Vec::new(),
            body: bytes::Bytes::new(),
            json: Some(Value::Object(self.others)),
            rule: self.rule,
            faults: self.faults.into_iter().map(planned).collect::<Result<_, _>>()?,
            written: 0,
            events: self.events,
            status: self.status,
            writes: Vec::new(),
            end: self.end.map(|end| Ended { at: end.at, how: how(end.how) }),
        })
    }
}
