//! Replay: requests are answered from a [cassette](crate::cassette), without network.
//!
//! The answer is the recorded one: status, headers, bytes, chunk borders, pauses and end. A request is
//! found by method, path and body. Bodies are compared as JSON: the order of keys does not matter, nor
//! `"stream": false` that is spelled out, nor faults behind the model's name, nor what
//! [`scrub`](crate::scrub) took away. Of headers only it counts whether there is a key. Equal requests are
//! answered in the order in which they were recorded.
//!
//! Faults act on a replayed answer as on any other, except those that change what the model *says*: there
//! is no draft to change, and the journal shows them as not fired.
//!
//! Invariant: a request that was not recorded is never answered by guessing; the miss names the nearest
//! recorded request and what differs.

mod difference;
mod event;
mod key;
mod pieces;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{
    answer::{Answer, Cut, End, Ending, Framing, Head, Marks},
    api::{self, Planned},
    cassette::{Answered, BodyEnd, Cassette, How, Track},
    exchange::Carried,
    fault::Fault,
    notice::Notice,
    pace::Flush,
    plan,
    render::{self, Stamp},
};
use key::Key;
use pieces::{Pieces, Tempo};

/// What the journal names as the rule of replayed exchanges.
const RULE: &str = "replay";

/// A cassette, and how to play it.
///
/// ```
/// # fn settings(cassette: mock_deepseek::Cassette) -> mock_deepseek::Replay {
/// mock_deepseek::Replay::new(cassette).speed(10.0).ignore("/temperature")
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Replay {
    cassette: Cassette,
    speed: f64,
    ignored: Vec<String>,
    after_last: AfterLast,
}

/// What a request gets that was asked more often than it was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterLast {
    /// The last recorded answer, again and again.
    #[default]
    Repeat,
    /// An error, as if it had not been recorded.
    Miss,
}

impl Replay {
    /// Plays at the recorded speed, and repeats the last of equal requests.
    pub fn new(cassette: Cassette) -> Self {
        Self { cassette, speed: 1.0, ignored: Vec::new(), after_last: AfterLast::default() }
    }

    /// Divides all pauses by this factor. 0, or what is no positive number, leaves no pause.
    #[must_use]
    pub fn speed(mut self, factor: f64) -> Self {
        self.speed = factor;
        self
    }

    /// Takes no account of what stands at this JSON pointer of a body, such as `/temperature`.
    #[must_use]
    pub fn ignore(mut self, pointer: impl Into<String>) -> Self {
        self.ignored.push(pointer.into());
        self
    }

    /// Sets what follows the last recorded answer of equal requests.
    #[must_use]
    pub fn after_last(mut self, what: AfterLast) -> Self {
        self.after_last = what;
        self
    }
}

impl From<Cassette> for Replay {
    fn from(cassette: Cassette) -> Self {
        Self::new(cassette)
    }
}

/// A replay at work.
#[derive(Debug)]
pub(crate) struct Player {
    groups: Vec<Group>,
    by_key: HashMap<Key, usize>,
    ignored: Vec<String>,
    after_last: AfterLast,
}

/// Equal requests.
#[derive(Debug)]
struct Group {
    key: Key,
    songs: Vec<Song>,
    played: AtomicUsize,
}

/// A recorded answer, ready to be played.
#[derive(Debug)]
struct Song {
    track: Arc<Track>,
    pieces: Pieces,
    delay: Duration,
}

impl Player {
    pub(crate) fn new(replay: Replay) -> Self {
        let tempo = Tempo::of(replay.speed);
        let mut player = Self {
            groups: Vec::new(),
            by_key: HashMap::new(),
            ignored: replay.ignored,
            after_last: replay.after_last,
        };
        for track in replay.cassette.tracks {
            let key = Key::recorded(&track.request, &player.ignored);
            let delay = tempo.pause(0, track.answer.at_ms);
            let song = Song { pieces: Pieces::new(&track.answer, tempo), delay, track };
            let place = *player.by_key.entry(key.clone()).or_insert(player.groups.len());
            match player.groups.get_mut(place) {
                Some(group) => group.songs.push(song),
                None => {
                    player.groups.push(Group { key, songs: vec![song], played: AtomicUsize::new(0) });
                }
            }
        }
        player
    }

    /// Begins all sequences anew.
    pub(crate) fn reset(&self) {
        self.groups.iter().for_each(|group| group.played.store(0, Ordering::Relaxed));
    }

    /// Answers a request. `scripted` are the faults of the script, if the request names none itself.
    pub(crate) fn play(
        &self,
        request: &api::Request<'_>,
        stamp: &Stamp,
        scripted: impl FnOnce() -> Arc<[Fault]>,
    ) -> Planned {
        let named = match api::faults_of(request) {
            Ok(named) => named,
            Err(notice) => return refused(&notice, stamp),
        };
        let key = Key::asked(request, &self.ignored);
        match self.next(&key) {
            Ok(song) => song.play(named.map_or_else(scripted, Into::into), request.carried),
            Err(reason) => refused(&Notice::own(404, "not_recorded", &reason), stamp),
        }
    }

    /// Finds the next answer to a request.
    fn next(&self, key: &Key) -> Result<&Song, String> {
        let Some(group) = self.by_key.get(key).map(|place| &self.groups[*place]) else {
            return Err(self.miss(key));
        };
        let nth = group.played.fetch_add(1, Ordering::Relaxed);
        match (group.songs.get(nth), group.songs.last()) {
            (Some(song), _) => Ok(song),
            (None, Some(last)) if self.after_last == AfterLast::Repeat => Ok(last),
            _ => Err(format!(
                "{} {} was recorded {} times and is asked for once more; record it more often, or let the last answer repeat",
                key.method,
                key.path,
                group.songs.len(),
            )),
        }
    }

    fn miss(&self, key: &Key) -> String {
        let recorded =
            self.groups.iter().filter_map(|group| Some((&group.key, group.songs.first()?.track.line)));
        let nearest = difference::nearest(key, recorded);
        format!(
            "no answer to {} {} is recorded; {nearest}; to record it: `gauntlet mock --record URL --cassette FILE`, and ask again",
            key.method, key.path
        )
    }
}

impl Song {
    fn play(&self, faults: Arc<[Fault]>, carried: Carried) -> Planned {
        let answered = &self.track.answer;
        let pieces = if faults.is_empty() { &self.pieces.exact } else { &self.pieces.whole };
        let mut answer = Answer {
            form: self.pieces.form,
            envelope: self.pieces.envelope.clone(),
            head: Some(Head { wait: self.delay, ..head(answered) }),
            pieces: pieces.clone(),
            rest: None,
            flush: Flush::Merge,
            end: End { how: ending(answered.how), marks: Marks::default() },
        };
        plan::spoil(&mut answer, &faults, carried);
        Planned { faults, ..Planned::fixed(answer, Some(RULE)) }
    }
}

fn refused(notice: &Notice, stamp: &Stamp) -> Planned {
    Planned::fixed(render::plain(notice, stamp), Some(RULE))
}

fn head(answered: &Answered) -> Head {
    let split = |header: &String| {
        header.split_once(": ").map(|(name, value)| (name.to_owned().into(), value.to_owned().into()))
    };
    let mut headers: Vec<_> = answered.headers.iter().filter_map(split).collect();
    let framing = match answered.framing {
        BodyEnd::Chunked => Framing::Chunked,
        BodyEnd::Length if answered.missing == 0 => Framing::Length,
        BodyEnd::Length => {
            let came: usize = answered.pieces.iter().map(|(_, bytes)| bytes.len()).sum();
            let promised = (came as u64).saturating_add(answered.missing);
            headers.push(("content-length".into(), promised.to_string().into()));
            Framing::Closing
        }
        BodyEnd::Close => Framing::Closing,
    };
    let (marks, held) = (Marks::default(), Marks::default());
    Head { status: answered.status, headers, framing, marks, wait: Duration::ZERO, held }
}

const fn ending(how: How) -> Ending {
    match how {
        How::Complete => Ending::Complete,
        How::Cut => Ending::Cut(Cut::Close),
        How::Reset => Ending::Cut(Cut::Reset),
    }
}
