//! The last resort, for histories in which something was written more than once: a search of the orders that could be
//! (Wing and Gong), which remembers what it has tried (Lowe).
//!
//! Of the operations that no other one ended before, one comes first. What was tried is known by the operations that are
//! done and by what is stored then. The bound is a count of those states and no time: a verdict does not depend on the
//! machine.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::{Doubt, FactHistory, Moment, Operation, Outcome, Proof, Read, Span};
use crate::model::Writing;

/// Most states of one search.
pub(super) const STATES_MAX: usize = 100_000;

/// Most states that making a proof small may cost.
const SHRINKING_MAX: usize = 4 * STATES_MAX;

/// Most operations of a history that is searched; each state holds a bit for each.
pub(super) const OPERATIONS_MAX: usize = 1000;

/// Looks for an order in which all operations could have happened one after the other.
pub(super) fn check(history: &FactHistory) -> Result<(), Doubt> {
    let operations = history.operations.len() + history.reads.len();
    if operations > OPERATIONS_MAX {
        let told = format!(
            "something was written more than once, and an order of {operations} operations is not searched for; \
             {OPERATIONS_MAX} at most"
        );
        return Err(Doubt::Undecided(told));
    }
    let (mut search, calls) = Search::new(history);
    match search.has_order(&calls) {
        Some(true) => Ok(()),
        Some(false) => Err(Doubt::Proved(search.prove(history, &calls))),
        None => {
            let told = format!(
                "something was written more than once, and no order of {operations} operations was found within \
                 {STATES_MAX} states"
            );
            Err(Doubt::Undecided(told))
        }
    }
}

/// What is stored, by its place among all texts that were met. 0 is nothing.
type Text = usize;

const NOTHING: Text = 0;

/// All texts that were met: each is another one and a word more.
#[derive(Default)]
struct Texts<'a> {
    known: HashMap<(Text, &'a str), Text>,
    made_of: Vec<(Text, &'a str)>,
}

impl<'a> Texts<'a> {
    fn longer(&mut self, text: Text, word: &'a str) -> Text {
        let next = self.made_of.len() + 1;
        let known = *self.known.entry((text, word)).or_insert(next);
        if known == next {
            self.made_of.push((text, word));
        }
        known
    }

    fn of(&mut self, words: impl Iterator<Item = &'a str>) -> Text {
        words.fold(NOTHING, |text, word| self.longer(text, word))
    }

    fn holds(&self, mut text: Text, word: &str) -> bool {
        while text != NOTHING {
            let (shorter, last) = self.made_of[text - 1];
            if last == word {
                return true;
            }
            text = shorter;
        }
        false
    }
}

/// What an operation does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed<'a> {
    Put(&'a str),
    Add(&'a str),
    See(Text),
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Write(&'a Operation),
    Read(&'a Read),
}

/// An operation; one that ends never may have happened after its call, or not at all.
#[derive(Clone, Copy)]
struct Call<'a> {
    deed: Deed<'a>,
    span: Span,
    source: Source<'a>,
}

impl Call<'_> {
    fn is_sure(&self) -> bool {
        self.span.to != Moment::NEVER
    }

    const fn is_write(&self) -> bool {
        matches!(self.deed, Deed::Put(_) | Deed::Add(_))
    }

    /// The same when nothing is known of it: it may have happened at any moment, or not at all. A read then means nothing.
    fn loose(self) -> Option<Self> {
        let span = Span { from: Moment::default(), to: Moment::NEVER };
        (!matches!(self.deed, Deed::See(_))).then_some(Self { span, ..self })
    }

    fn shown(&self) -> (Moment, String) {
        match self.source {
            Source::Write(write) => write.shown(),
            Source::Read(read) => read.shown(),
        }
    }
}

/// A state of the search.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Tried {
    done: Box<[u64]>,
    stored: Text,
}

impl Tried {
    fn has(&self, n: usize) -> bool {
        self.done[n / 64] >> (n % 64) & 1 == 1
    }

    fn and(&self, n: usize, stored: Text) -> Self {
        let mut done = self.done.clone();
        done[n / 64] |= 1 << (n % 64);
        Self { done, stored }
    }

    /// Returns when the first of those ends that must still happen: no other can come first that begins later.
    fn limit(&self, calls: &[Call<'_>]) -> Option<Moment> {
        let left = calls.iter().enumerate().filter(|(n, call)| call.is_sure() && !self.has(*n));
        left.map(|(_, call)| call.span.to).min()
    }
}

struct Search<'a> {
    texts: Texts<'a>,
    before: Text,
    /// How many more states may be looked at.
    left: usize,
}

impl<'a> Search<'a> {
    fn new(history: &'a FactHistory) -> (Self, Vec<Call<'a>>) {
        let mut texts = Texts::default();
        let before = texts.of(words(history.how, history.before.as_deref()));
        let mut calls: Vec<_> =
            history.operations.iter().filter_map(|write| written(history.how, write)).collect();
        for read in &history.reads {
            let deed = Deed::See(texts.of(words(history.how, read.value.as_deref())));
            calls.push(Call { deed, span: read.span, source: Source::Read(read) });
        }
        (Self { texts, before, left: STATES_MAX }, calls)
    }

    /// Returns whether the calls have an order; `None` when too many states would have to be looked at.
    fn has_order(&mut self, calls: &[Call<'a>]) -> Option<bool> {
        let calls = self.that_matter(calls);
        let first = Tried { done: vec![0; calls.len().div_ceil(64)].into(), stored: self.before };
        let mut known = HashSet::from([first.clone()]);
        let mut open = vec![first];
        while let Some(tried) = open.pop() {
            let Some(limit) = tried.limit(&calls) else { return Some(true) };
            for next in self.next(&tried, &calls, limit) {
                if known.insert(next.clone()) {
                    self.left = self.left.checked_sub(1)?;
                    open.push(next);
                }
            }
        }
        Some(false)
    }

    /// Returns the calls in their order, without writes of which nothing is known and nothing was seen.
    fn that_matter(&self, calls: &[Call<'a>]) -> Vec<Call<'a>> {
        let is_seen = |word: &str| {
            calls.iter().any(|call| matches!(call.deed, Deed::See(text) if self.texts.holds(text, word)))
        };
        let matters = |call: &&Call<'a>| match call.deed {
            Deed::Put(word) | Deed::Add(word) => call.is_sure() || is_seen(word),
            Deed::See(_) => true,
        };
        let mut calls: Vec<_> = calls.iter().filter(matters).copied().collect();
        calls.sort_by_key(|call| call.span.from);
        calls
    }

    /// Returns what can come next, the last one to be tried first.
    fn next(&mut self, tried: &Tried, calls: &[Call<'a>], limit: Moment) -> Vec<Tried> {
        let (mut ways, mut spare) = (Vec::new(), Vec::new());
        let callable = calls.iter().enumerate().take_while(|(_, call)| call.span.from <= limit);
        for (n, call) in callable.filter(|(n, _)| !tried.has(*n)) {
            let stored = match call.deed {
                // Seeing what is there changes nothing, so that it may as well come first.
                Deed::See(text) if text == tried.stored => return vec![tried.and(n, text)],
                Deed::See(_) => continue,
                Deed::Put(word) => self.texts.longer(NOTHING, word),
                Deed::Add(word) => self.texts.longer(tried.stored, word),
            };
            // Of those that are alike and never end, the first one stands for all.
            if call.is_sure() || !spare.contains(&call.deed) {
                ways.push(tried.and(n, stored));
            }
            spare.extend((!call.is_sure()).then_some(call.deed));
        }
        ways.reverse();
        ways
    }

    /// Looks for the few operations that have no order, whatever all others did.
    fn prove(&mut self, history: &FactHistory, calls: &[Call<'a>]) -> Proof {
        self.left = SHRINKING_MAX;
        let mut calls = self.shortest_beginning(calls);
        calls.sort_by_key(|call| call.span.from);
        let mut others = Vec::new();
        let mut step = calls.len().div_ceil(2);
        while step > 0 {
            let mut from = 0;
            while from < calls.len() {
                let range = from..calls.len().min(from + step);
                match self.without((&calls, &others), range.clone()) {
                    Some(loose) => {
                        calls.drain(range);
                        others = loose;
                    }
                    None => from += step,
                }
            }
            step /= 2;
        }
        told(history, &calls)
    }

    /// Cuts off what happened after the history had lost its order.
    fn shortest_beginning(&mut self, calls: &[Call<'a>]) -> Vec<Call<'a>> {
        let mut ends: Vec<_> = calls.iter().filter(|call| call.is_sure()).map(|call| call.span.to).collect();
        ends.sort_unstable();
        let (mut sound, mut broken) = (0, ends.len().saturating_sub(1));
        while sound < broken {
            let middle = usize::midpoint(sound, broken);
            match self.has_order(&beginning(calls, ends[middle])) {
                Some(false) => broken = middle,
                _ => sound = middle + 1,
            }
        }
        ends.get(broken).map_or_else(|| calls.to_vec(), |end| beginning(calls, *end))
    }

    /// Lets go of some calls; returns all loose ones, if those that are left have no order even so.
    fn without(
        &mut self,
        (calls, others): (&[Call<'a>], &[Call<'a>]),
        range: Range<usize>,
    ) -> Option<Vec<Call<'a>>> {
        let loose = calls[range.clone()].iter().filter_map(|call| call.loose()).chain(others.iter().copied());
        let loose: Vec<_> = loose.collect();
        let left = calls[..range.start].iter().chain(&calls[range.end..]).chain(&loose).copied();
        (self.has_order(&left.collect::<Vec<_>>()) == Some(false)).then_some(loose)
    }
}

fn words(how: Writing, text: Option<&str>) -> impl Iterator<Item = &str> {
    let whole = text.filter(|_| how == Writing::Replace);
    let list = text.filter(|_| how == Writing::Append);
    whole.into_iter().chain(list.into_iter().flat_map(str::split_whitespace))
}

fn written(how: Writing, write: &Operation) -> Option<Call<'_>> {
    let deed = match how {
        Writing::Replace => Deed::Put(&write.value),
        Writing::Append => Deed::Add(&write.value),
    };
    let span = match write.outcome {
        Outcome::Acknowledged(_) => write.span,
        Outcome::Unknown => Span { to: Moment::NEVER, ..write.span },
        Outcome::Refused => return None,
    };
    Some(Call { deed, span, source: Source::Write(write) })
}

/// Returns what had been called by then; what had not ended may have happened.
fn beginning<'a>(calls: &[Call<'a>], end: Moment) -> Vec<Call<'a>> {
    let called = calls.iter().filter(|call| call.span.from <= end);
    let known = |call: &Call<'a>| match call.deed {
        _ if call.span.to <= end => Some(*call),
        Deed::See(_) => None,
        Deed::Put(_) | Deed::Add(_) => Some(Call { span: Span { to: Moment::NEVER, ..call.span }, ..*call }),
    };
    called.filter_map(known).collect()
}

/// Tells what was proved. Of several writes of one value the last one stands for all.
fn told(history: &FactHistory, calls: &[Call<'_>]) -> Proof {
    if let [Call { source: Source::Read(read), .. }] = calls {
        return never_there(history, read);
    }
    let is_last =
        |n: usize| !calls[n + 1..].iter().any(|later| later.deed == calls[n].deed && later.is_write());
    let shown = calls.iter().enumerate().filter(|(n, _)| is_last(*n)).map(|(_, call)| (call, call.shown()));
    let (mut operations, mut sentences) = (Vec::new(), Vec::new());
    for (call, (at, sentence)) in shown {
        let alike = calls.iter().filter(|other| other.deed == call.deed && other.is_write()).count();
        sentences.push(if alike > 1 {
            format!("{sentence}, the last of {alike} such writes")
        } else {
            sentence.clone()
        });
        operations.push((at, sentence));
    }
    let all = sentences.join(", and ");
    Proof { told: format!("{all}: there is no such order, whatever else had happened by then"), operations }
}

/// Tells of a read that nothing can explain: it brings a word more often than that had been written.
fn never_there(history: &FactHistory, read: &Read) -> Proof {
    let (_, told) = read.shown();
    let seen = |word: &str| words(history.how, read.value.as_deref()).filter(|other| *other == word).count();
    let written = |word: &str| {
        let before = words(history.how, history.before.as_deref()).filter(|other| *other == word).count();
        let had_been = |write: &&Operation| {
            write.value == word && write.outcome != Outcome::Refused && write.span.from <= read.span.to
        };
        before + history.operations.iter().filter(had_been).count()
    };
    let Some(word) = words(history.how, read.value.as_deref()).find(|word| seen(word) > written(word)) else {
        return Proof::new(format!("{told}, and that was never there"), [read.shown()]);
    };
    match history.operations.iter().find(|write| write.value == word) {
        None => Proof::new(format!("{told}, and {}", history.whence(word)), [read.shown()]),
        Some(write) => {
            let told = format!(
                "{told}, with `{word}` {} times, when {} writes of it can explain it: {}",
                seen(word),
                written(word),
                write.shown().1
            );
            Proof::new(told, [write.shown(), read.shown()])
        }
    }
}
