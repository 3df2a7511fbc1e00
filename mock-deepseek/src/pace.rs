//! How fast the model is, on two clocks: progress (tokens) and liveness (keep-alive).
//!
//! Pauses stand before pieces and are relative, so that faults may put their own between them.
//! Invariant: pacing changes no byte of an event, and the same seed gives the same schedule. It does
//! not wait; the [writer](crate::write) does.

mod written;

use std::{
    collections::BTreeMap,
    mem,
    sync::{Arc, LazyLock},
    time::Duration,
};

use serde::Deserialize;

use written::Profile;

use crate::{
    answer::{Answer, Ending, Form, Framing, Kind, Piece},
    catalogue::nearest,
    chance::Chance,
    delay::{Delay, Per},
};

/// The most signs of life within one answer that comes to an end; then there is silence until the next piece.
pub const KEEP_ALIVES_MAX: usize = 10_000;
/// The shortest time between two signs of life.
pub const KEEP_ALIVE_MIN: Duration = Duration::from_millis(1);

static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/latency.rs"));

static PROFILES: LazyLock<BTreeMap<&'static str, Profile>> = LazyLock::new(|| {
    let read = |&(name, text): &(&'static str, &str)| match toml::from_str::<Profile>(text) {
        Ok(profile) => (name, profile),
        Err(error) => panic!("embedded latency file `{name}.toml` is malformed: {error}"),
    };
    FILES.iter().map(read).collect()
});

/// How fast the model is.
///
/// ```
/// let script = mock_deepseek::Script::from_toml(r#"
///     [default]
///     pace = { profile = "live-2026", keep_alive = "5s" }
/// "#)?;
/// # Ok::<(), mock_deepseek::ScriptError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pace {
    /// From the head of the answer to the first event.
    pub first_token: Delay,
    /// Between two events that carry tokens.
    pub gap: Delay,
    /// While the client waits, a sign of life comes so often, whatever the tokens do; none when it is
    /// left out. It is a comment in a stream, a blank line before JSON.
    pub keep_alive: Option<Duration>,
    /// Whether events that are due at the same moment are written together.
    pub flush: Flush,
}

impl Pace {
    /// Returns the latency profile of this name, one of [`Pace::names`].
    pub fn named(name: &str) -> Result<Self, UnknownLatency> {
        let unknown = || UnknownLatency { name: name.to_owned(), nearest: nearest(name, Self::names()) };
        PROFILES.get(name).map(|profile| profile.pace.clone()).ok_or_else(unknown)
    }

    /// Returns the names of the latency profiles, the files under `latency/`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PROFILES.keys().copied()
    }

    /// Says whether an answer may never come to its end.
    fn may_stop(&self) -> bool {
        self.first_token.may_be_never() || self.gap.may_be_never()
    }
}

/// There is no latency profile of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "latency profile `{name}` does not exist{}; there are {}",
    .nearest.map(|name| format!(", did you mean `{name}`")).unwrap_or_default(),
    Pace::names().collect::<Vec<_>>().join(", ")
)]
pub struct UnknownLatency {
    /// What was asked for.
    pub name: String,
    /// The nearest name, if one is near.
    pub nearest: Option<&'static str>,
}

/// How the events of a stream are handed to the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flush {
    /// What is due at the same moment goes out in one write.
    #[default]
    Merge,
    /// Each event goes out in a write of its own.
    Event,
}

/// A pace with its chance: everything that a schedule depends on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pacing {
    pub(crate) pace: Arc<Pace>,
    pub(crate) seed: u64,
}

/// Hands out the pauses of one answer, in the order of its pieces. `None`: what is waited for never comes.
#[derive(Clone, Debug)]
pub(crate) struct Pacer {
    pace: Arc<Pace>,
    chance: Chance,
    /// The gap of this request, once it is drawn.
    speed: Speed,
    spoke: bool,
}

/// The gap between the tokens of one request.
#[derive(Clone, Copy, Debug)]
enum Speed {
    Unknown,
    Drawn(Duration),
    /// There is no next token.
    Still,
}

impl Pacer {
    /// Keeps the draws of a schedule apart from the throws that chose it.
    const STREAM: u64 = u64::MAX;

    pub(crate) fn new(pacing: &Pacing) -> Self {
        let chance = Chance::new(pacing.seed, Self::STREAM);
        Self { pace: Arc::clone(&pacing.pace), chance, speed: Speed::Unknown, spoke: false }
    }

    /// Returns the pause before the next event of a stream.
    pub(crate) fn before(&mut self, kind: Kind) -> Option<Duration> {
        match kind {
            Kind::Role => self.first(),
            Kind::Reasoning | Kind::Content if mem::replace(&mut self.spoke, true) => self.gap(),
            _ => Some(Duration::ZERO),
        }
    }

    /// Returns the pause before a reply that comes in one piece: as long as its tokens would have taken.
    pub(crate) fn whole(&mut self, tokens: usize) -> Option<Duration> {
        let first = self.first()?;
        if self.pace.gap.is_zero() {
            return Some(first);
        }
        (1..tokens).try_fold(first, |sum, _| Some(sum.saturating_add(self.gap()?)))
    }

    fn first(&mut self) -> Option<Duration> {
        let delay = &self.pace.first_token;
        let pause = delay.draw(&mut self.chance)?;
        Some(delay.jittered(pause, &mut self.chance))
    }

    fn gap(&mut self) -> Option<Duration> {
        let delay = &self.pace.gap;
        let pause = match (delay.per, self.speed) {
            (Per::Request, Speed::Drawn(pause)) => Some(pause),
            (Per::Request, Speed::Still) => None,
            _ => delay.draw(&mut self.chance),
        };
        self.speed = pause.map_or(Speed::Still, Speed::Drawn);
        Some(delay.jittered(pause?, &mut self.chance))
    }
}

/// Puts signs of life into the pauses, and takes hold of an answer that may fall silent.
pub(crate) fn enliven(answer: &mut Answer, pacing: &Pacing) {
    let pace = &pacing.pace;
    if pace.keep_alive.is_some() || pace.may_stop() {
        answer.render_all();
    }
    let chunked = answer.head.as_ref().is_some_and(|head| head.framing == Framing::Chunked);
    let Some(every) = pace.keep_alive.filter(|_| chunked).map(|every| every.max(KEEP_ALIVE_MIN)) else {
        return;
    };
    if matches!(answer.end.how, Ending::Hang) {
        answer.end.how = Ending::Repeat(Box::new(sign(answer.form, every)));
    }
    put_signs(answer, every);
}

/// Puts a sign of life at every multiple of `every` since the head.
fn put_signs(answer: &mut Answer, every: Duration) {
    let mut pieces = Vec::with_capacity(answer.pieces.len());
    let (mut until_sign, mut left) = (every, KEEP_ALIVES_MAX);
    for mut piece in mem::take(&mut answer.pieces) {
        while piece.wait >= until_sign && left > 0 {
            pieces.push(sign(answer.form, until_sign));
            piece.wait -= until_sign;
            until_sign = every;
            left -= 1;
        }
        until_sign = until_sign.saturating_sub(piece.wait);
        pieces.push(piece);
    }
    answer.pieces = pieces;
    // An endless row of signs goes on in the same rhythm.
    if let (Ending::Repeat(_), false) = (&answer.end.how, until_sign == every) {
        answer.pieces.push(sign(answer.form, until_sign));
    }
}

fn sign(form: Form, wait: Duration) -> Piece {
    let bytes: &'static [u8] = match form {
        Form::Stream => b": keep-alive\n\n",
        Form::Single => b"\n",
    };
    Piece { wait, ..Piece::raw(Kind::Liveness, bytes) }
}

#[cfg(test)]
mod tests;
