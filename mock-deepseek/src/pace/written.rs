//! Paces as scripts and latency files write them.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::{Flush, KEEP_ALIVE_MIN, Pace};
use crate::{
    delay::Delay,
    duration,
    notation::{self, Notation, Short},
};

impl<'de> Deserialize<'de> for Pace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        notation::read(deserializer)
    }
}

impl Notation for Pace {
    type Long = Long;
    const EXPECTED: &'static str = "a latency profile such as `live-2026`, or a table such as `{ first_token = \"300ms\", gap = \"15ms\" }`";

    fn short(short: Short<'_>) -> Option<Result<Self, String>> {
        let Short::Text(name) = short else { return None };
        Some(Self::named(name).map_err(|error| error.to_string()))
    }

    fn long(long: Long) -> Result<Self, String> {
        let base = long.profile.unwrap_or_default().0;
        Ok(Self {
            first_token: long.first_token.unwrap_or(base.first_token),
            gap: long.gap.unwrap_or(base.gap),
            keep_alive: long.keep_alive.map_or(base.keep_alive, |rhythm| rhythm.0),
            flush: long.flush.unwrap_or(base.flush),
        })
    }
}

/// The long notation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Long {
    profile: Option<Named>,
    first_token: Option<Delay>,
    gap: Option<Delay>,
    keep_alive: Option<Rhythm>,
    flush: Option<Flush>,
}

/// A pace that is given by its name.
#[derive(Default)]
struct Named(Pace);

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Pace::named(&name).map(Self).map_err(serde::de::Error::custom)
    }
}

/// How often a sign of life comes: a duration, `never`, or a table with a source.
struct Rhythm(Option<Duration>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LongRhythm {
    #[serde(deserialize_with = "duration::deserialize")]
    every: Duration,
    #[serde(default, rename = "source")]
    _source: Option<String>,
}

impl<'de> Deserialize<'de> for Rhythm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        notation::read(deserializer)
    }
}

impl Rhythm {
    fn of(every: Duration) -> Result<Self, String> {
        if every < KEEP_ALIVE_MIN {
            return Err(format!(
                "a sign of life comes every {KEEP_ALIVE_MIN:?} at most; write `never` for none"
            ));
        }
        Ok(Self(Some(every)))
    }
}

impl Notation for Rhythm {
    type Long = LongRhythm;
    const EXPECTED: &'static str = "a duration such as `5s`, or `never`";

    fn short(short: Short<'_>) -> Option<Result<Self, String>> {
        match short {
            Short::Text("never") => Some(Ok(Self(None))),
            Short::Text(text) => Some(duration::parse(text).and_then(Self::of)),
            _ => None,
        }
    }

    fn long(long: LongRhythm) -> Result<Self, String> {
        Self::of(long.every)
    }
}

/// A file under `latency/`.
#[derive(Deserialize)]
#[serde(from = "File")]
pub(super) struct Profile {
    pub(super) pace: Pace,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// One line for readers.
    #[serde(rename = "title")]
    _title: String,
    first_token: Delay,
    gap: Delay,
    keep_alive: Option<Rhythm>,
}

impl From<File> for Profile {
    fn from(file: File) -> Self {
        let keep_alive = file.keep_alive.and_then(|rhythm| rhythm.0);
        Self {
            pace: Pace { first_token: file.first_token, gap: file.gap, keep_alive, flush: Flush::default() },
        }
    }
}
