//! The words of the catalogue: how its classes are called, and what they mean to a reader.
//!
//! Invariant: a name is what fault files and the command line use; a sentence begins in lower case and
//! stands behind the name.

use std::{fmt, str::FromStr};

use super::{Carrier, FaultInfo, FaultKind, Layer, Mode, Place, nearest};

/// A word that names no class of faults.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} `{word}`{}; there are {known}", did_you_mean(*.near))]
pub struct UnknownName {
    what: &'static str,
    word: String,
    near: Option<&'static str>,
    known: String,
}

fn did_you_mean(near: Option<&str>) -> String {
    near.map(|name| format!(", did you mean `{name}`")).unwrap_or_default()
}

fn find<T: Copy, const N: usize>(
    what: &'static str,
    word: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<T, UnknownName> {
    let names = all.map(name);
    let unknown = || UnknownName {
        what,
        word: word.to_owned(),
        near: nearest(word, names.into_iter()),
        known: names.map(|name| format!("`{name}`")).join(", "),
    };
    names.iter().position(|name| *name == word).map(|position| all[position]).ok_or_else(unknown)
}

impl Layer {
    /// All layers, in the order in which faults of one plan act.
    pub const ALL: [Self; 10] = [
        Self::Semantics,
        Self::Json,
        Self::Sse,
        Self::Head,
        Self::Time,
        Self::Body,
        Self::Tls,
        Self::Tcp,
        Self::State,
        Self::Address,
    ];

    /// Returns the name that fault files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Semantics => "semantics",
            Self::Json => "json",
            Self::Sse => "sse",
            Self::Head => "head",
            Self::Time => "time",
            Self::Body => "body",
            Self::Tls => "tls",
            Self::Tcp => "tcp",
            Self::State => "state",
            Self::Address => "address",
        }
    }

    /// Says what is wrong there.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Semantics => "what the model says, and why it stops",
            Self::Json => "the JSON of chunks and of whole replies",
            Self::Sse => "server-sent events: line ends, prefixes, encoding",
            Self::Head => "status line and headers",
            Self::Time => "when things are written, or not",
            Self::Body => "how the body is framed in HTTP",
            Self::Tls => "the encryption",
            Self::Tcp => "the connection",
            Self::State => "what depends on other requests: concurrency, balance",
            Self::Address => "where the client connects to",
        }
    }
}

impl Place {
    /// All places, in the order in which an exchange passes them.
    pub const ALL: [Self; 10] = [
        Self::BeforeConnection,
        Self::Handshake,
        Self::BeforeHead,
        Self::Head,
        Self::BeforeFirstEvent,
        Self::AfterEvents,
        Self::EveryEvent,
        Self::AtFinish,
        Self::AfterDone,
        Self::NextRequest,
    ];

    /// Returns the name that fault files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeConnection => "before-connection",
            Self::Handshake => "handshake",
            Self::BeforeHead => "before-head",
            Self::Head => "head",
            Self::BeforeFirstEvent => "before-first-event",
            Self::AfterEvents => "after-events",
            Self::EveryEvent => "every-event",
            Self::AtFinish => "at-finish",
            Self::AfterDone => "after-done",
            Self::NextRequest => "next-request",
        }
    }

    /// Says when that is.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::BeforeConnection => "before there is a connection",
            Self::Handshake => "while client and server shake hands, before there is a request",
            Self::BeforeHead => "before the status line",
            Self::Head => "in status line and headers, and thus in the whole answer",
            Self::BeforeFirstEvent => "after the head, before the first event",
            Self::AfterEvents => "after some events",
            Self::EveryEvent => "in each event",
            Self::AtFinish => "at or after the event with the finish reason",
            Self::AfterDone => "after `[DONE]`",
            Self::NextRequest => "when the next request comes on the same connection",
        }
    }
}

impl FaultKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Legitimate, Self::Failure];

    /// Returns the name that fault files use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Legitimate => "legitimate",
            Self::Failure => "failure",
        }
    }

    /// Says what a sound client does.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Legitimate => "a sound client must succeed",
            Self::Failure => "a sound client must notice",
        }
    }
}

impl Mode {
    /// Says which replies it can happen to.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Any => "streams and whole replies",
            Self::Stream => "streams",
            Self::Single => "whole replies",
        }
    }
}

impl Carrier {
    /// Says over what it happens; `None` where that does not matter.
    pub const fn meaning(self) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::Http1 => Some("only over HTTP/1"),
            Self::Http2 => Some("only over HTTP/2"),
            Self::Tls => Some("only under TLS"),
        }
    }
}

impl FaultInfo {
    /// Says which answers it can happen to.
    pub fn reach(&self) -> String {
        if self.layer == Layer::Address {
            return "every request".to_owned();
        }
        let carrier = self.carrier.meaning().map(|over| format!(", {over}")).unwrap_or_default();
        self.mode.meaning().to_owned() + &carrier
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Layer {
    type Err = UnknownName;

    fn from_str(word: &str) -> Result<Self, UnknownName> {
        find("layer", word, Self::ALL, Self::name)
    }
}

impl FromStr for FaultKind {
    type Err = UnknownName;

    fn from_str(word: &str) -> Result<Self, UnknownName> {
        find("kind", word, Self::ALL, Self::name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn names_are_those_of_the_files() {
        for name in Layer::ALL.map(Layer::name) {
            assert_eq!(name.parse::<Layer>().unwrap().name(), name);
            assert_eq!(format!("{:?}", name.parse::<Layer>().unwrap()).to_lowercase(), name);
        }
        for place in Place::ALL {
            let words = place.name().replace('-', "");
            assert_eq!(format!("{place:?}").to_lowercase(), words);
        }
    }

    #[test]
    fn no_fault_has_a_class_that_is_left_out() {
        for info in catalogue().iter() {
            assert!(Layer::ALL.contains(&info.layer) && Place::ALL.contains(&info.place), "{}", info.id);
        }
    }

    #[test]
    fn an_unknown_layer_is_named_with_the_nearest_one() {
        let error = "tpc".parse::<Layer>().unwrap_err();

        assert_eq!(
            error.to_string(),
            "there is no layer `tpc`; there are `semantics`, `json`, `sse`, `head`, `time`, `body`, `tls`, `tcp`, `state`, `address`"
        );
        assert!("failur".parse::<FaultKind>().unwrap_err().to_string().contains("did you mean `failure`"));
    }
}
