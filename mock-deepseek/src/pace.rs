//! How fast the model is, on two clocks: progress (tokens) and liveness (keep-alive).
//!
//! Pauses stand before pieces and are relative, so that faults may put their own between them.
//! Invariant: pacing changes no byte of an event, and the same seed gives the same schedule. It does
//! not wait; the [writer](crate::write) does.

mod written;

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use written::Profile;

use crate::{
    answer::{Answer, Ending, Form, Framing, Kind, Marks, Piece},
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

    fn is_immediate(&self) -> bool {
        self.first_token.is_zero() && self.gap.is_zero()
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

/// A pace with its chance: everything that a schedule depends on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pacing {
    pub(crate) pace: Arc<Pace>,
    pub(crate) seed: u64,
}

/// Hands out the pauses of one answer, in order. `None`: what is waited for never comes.
#[derive(Debug)]
struct Schedule<'a> {
    pace: &'a Pace,
    chance: Chance,
    /// The gap of this request, once it is drawn.
    speed: Speed,
}

/// The gap between the tokens of one request.
#[derive(Clone, Copy, Debug)]
enum Speed {
    Unknown,
    Drawn(Duration),
    /// There is no next token.
    Still,
}

impl<'a> Schedule<'a> {
    /// Keeps the draws of a schedule apart from the throws that chose it.
    const STREAM: u64 = u64::MAX;

    fn new(pacing: &'a Pacing) -> Self {
        Self { pace: &pacing.pace, chance: Chance::new(pacing.seed, Self::STREAM), speed: Speed::Unknown }
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

/// Puts the pauses before the pieces, and signs of life into the pauses.
pub(crate) fn apply(answer: &mut Answer, pacing: &Pacing, tokens: usize) {
    if pacing.pace.is_immediate() {
        return;
    }
    let never = progress(answer, &mut Schedule::new(pacing), tokens);
    let chunked = answer.head.as_ref().is_some_and(|head| head.framing == Framing::Chunked);
    let every = pacing.pace.keep_alive.filter(|_| chunked).map(|every| every.max(KEEP_ALIVE_MIN));
    if let Some(place) = never {
        let end = every.map_or(Ending::Hang, |every| Ending::Repeat(Box::new(sign(answer.form, every))));
        answer.end_at(place, end, Marks::default());
    }
    if let Some(every) = every {
        enliven(answer, every);
    }
}

/// Lets the pieces come at their times; returns the place from which nothing comes.
fn progress(answer: &mut Answer, schedule: &mut Schedule<'_>, tokens: usize) -> Option<usize> {
    let mut first = true;
    for (place, piece) in answer.pieces.iter_mut().enumerate() {
        let pause = match piece.kind {
            Kind::Role => schedule.first(),
            Kind::Reasoning | Kind::Content if std::mem::take(&mut first) => Some(Duration::ZERO),
            Kind::Reasoning | Kind::Content => schedule.gap(),
            Kind::Body => whole(schedule, tokens),
            _ => continue,
        };
        match pause {
            Some(pause) => piece.wait = pause,
            None => return Some(place),
        }
    }
    None
}

/// The pause before a reply that comes in one piece: as long as its tokens would have taken.
fn whole(schedule: &mut Schedule<'_>, tokens: usize) -> Option<Duration> {
    let first = schedule.first()?;
    (1..tokens).try_fold(first, |sum, _| Some(sum.saturating_add(schedule.gap()?)))
}

/// Puts a sign of life at every multiple of `every` since the head.
fn enliven(answer: &mut Answer, every: Duration) {
    let mut pieces = Vec::with_capacity(answer.pieces.len());
    let (mut until_sign, mut left) = (every, KEEP_ALIVES_MAX);
    for mut piece in std::mem::take(&mut answer.pieces) {
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
