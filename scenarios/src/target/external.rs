//! A back end that somebody else started: described by a file, reached by its URL.
//!
//! The mock listens where the file says, because the back end must have been told. Time is real and
//! settings are what the file says they are.

use std::{net::SocketAddr, path::Path, time::Duration};

use serde::Deserialize;
use serde_json::Value;

use super::default_settings;
use crate::{Scenario, expr::Settings, nest};

/// Which protocol the back end speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Kind {
    /// The WebSocket chat of `/ws/chat`: `{"content"}` in; `message`, `calendar`, `error`, `done` out.
    #[serde(rename = "chat-v0")]
    ChatV0,
}

/// A target file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetFile {
    /// Version of the format: 1.
    pub schema: u32,
    /// Shown in reports.
    pub name: String,
    /// The protocol.
    pub kind: Kind,
    /// `http://address:port` of the back end.
    pub url: String,
    /// Where the mock listens; the back end's model URL must point here.
    pub llm: SocketAddr,
    /// What it can do beyond the chat.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// What the network and the machine may add to every time limit.
    #[serde(default = "half_a_second", with = "span")]
    pub slack: Duration,
    /// Its settings by dotted name, where they differ from the defaults of the reference server.
    #[serde(default)]
    pub settings: toml::Table,
}

const fn half_a_second() -> Duration {
    Duration::from_millis(500)
}

mod span {
    use std::time::Duration;

    use jiff::SignedDuration;
    use serde::{Deserialize, Deserializer, de::Error};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        let signed: SignedDuration = text.parse().map_err(D::Error::custom)?;
        signed.try_into().map_err(D::Error::custom)
    }
}

/// A target file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It cannot be read.
    #[error("cannot read target file `{path}`: {error}")]
    Read {
        /// Its path.
        path: String,
        /// The reason.
        error: std::io::Error,
    },
    /// It is not valid.
    #[error("target file `{path}` is not valid\n{message}")]
    Invalid {
        /// Its path.
        path: String,
        /// What is wrong, with line and column.
        message: String,
    },
}

pub(super) fn load(path: &Path) -> Result<TargetFile, TargetError> {
    let shown = path.display().to_string();
    let text =
        std::fs::read_to_string(path).map_err(|error| TargetError::Read { path: shown.clone(), error })?;
    let invalid = |message: String| TargetError::Invalid { path: shown.clone(), message };
    let file: TargetFile = toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    if let Some(word) = file.capabilities.iter().find(|word| !super::CAPABILITIES.contains(&word.as_str())) {
        return Err(invalid(format!(
            "unknown capability `{word}`; there is: {}",
            super::CAPABILITIES.join(", ")
        )));
    }
    if file.schema != crate::parse::FORMAT {
        return Err(invalid(format!(
            "unknown format version `{}`; write `schema = {}`",
            file.schema,
            crate::parse::FORMAT
        )));
    }
    let address = file.url.strip_prefix("http://").map(str::parse::<SocketAddr>);
    if !matches!(address, Some(Ok(_))) {
        return Err(invalid(format!(
            "`url` is `{}`; write `http://address:port`, with a number for the address",
            file.url
        )));
    }
    let known = default_settings();
    let named = Settings::flatten(&nest(&file.settings));
    if let Some(name) = named.0.keys().find(|name| !known.0.contains_key(*name)) {
        let hint = known.nearest(name).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(invalid(format!("unknown setting `{name}`{hint}")));
    }
    Ok(file)
}

impl TargetFile {
    /// Returns all settings: the defaults, and what the file says.
    pub fn settings(&self) -> Settings {
        let mut settings = default_settings();
        settings.0.extend(Settings::flatten(&nest(&self.settings)).0);
        settings
    }

    /// Returns why a scenario cannot be run on this target, if it cannot.
    pub(crate) fn lacks(&self, scenario: &Scenario) -> Option<String> {
        let file = &scenario.tables;
        if let Some(need) = file.needs.iter().find(|need| !self.capabilities.contains(need)) {
            return Some(format!("target cannot do `{need}`"));
        }
        let (have, wanted) = (self.settings(), Settings::flatten(&nest(&file.settings)));
        wanted.0.iter().find_map(|(name, value)| {
            let found = have.0.get(name).unwrap_or(&Value::Null);
            (found != value).then(|| format!("needs `{name}` = {value}, target has {found}"))
        })
    }
}
