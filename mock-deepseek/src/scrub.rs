//! Takes secrets and personal data out of what is recorded, before anything reaches the disk.
//!
//! What is found is replaced by a placeholder such as `<email-2>`. Equal things get equal placeholders
//! for as long as one [`Scrubber`] lives, so that a conversation about two people stays one about two.
//! Only these are looked for: keys and other secrets, user ids, e-mail addresses, telephone numbers and
//! payment cards. Names and the rest of what people write are **not** recognised.
//!
//! Invariant: scrubbing what has been scrubbed changes nothing but the numbers of placeholders, and
//! those only by the order in which they appear. So a request that is asked again can be compared with
//! a recorded one: both are scrubbed anew.

mod body;
mod detect;
mod header;
mod json;
mod view;

use std::collections::HashMap;

pub(crate) use body::Media;
pub(crate) use header::{answer_headers, carries_key, learn, path, request_headers};

/// The most different things that get a number of their own; further ones share the placeholder `<…-0>`.
const NUMBERED_MAX: usize = 100_000;
/// The most values that are looked for because they were seen in a place for secrets; the oldest go first.
const KNOWN_MAX: usize = 256;
/// A shorter value is not looked for elsewhere: too many other things would be spelled like it.
const KNOWN_LENGTH_MIN: usize = 6;

/// What a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Key,
    Secret,
    User,
    Email,
    Card,
    Phone,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Key, Self::Secret, Self::User, Self::Email, Self::Card, Self::Phone];

    const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Secret => "secret",
            Self::User => "user",
            Self::Email => "email",
            Self::Card => "card",
            Self::Phone => "phone",
        }
    }
}

/// Replaces what it finds, and remembers what it has replaced.
#[derive(Debug, Default)]
pub(crate) struct Scrubber {
    numbers: HashMap<(Kind, String), usize>,
    last: HashMap<Kind, usize>,
    known: Vec<(String, Kind)>,
}

impl Scrubber {
    /// Looks for this value everywhere from now on: it stood in a place for secrets.
    pub(crate) fn learn(&mut self, kind: Kind, value: &str) {
        let is_known = self.known.iter().any(|(known, _)| known == value);
        if value.len() < KNOWN_LENGTH_MIN || is_known || detect::is_placeholder(value) {
            return;
        }
        if self.known.len() == KNOWN_MAX {
            self.known.remove(0);
        }
        self.known.push((value.to_owned(), kind));
    }

    /// Begins to number after the placeholders of this text, which is part of the same recording.
    pub(crate) fn continue_after(&mut self, text: &str) {
        for (kind, number) in detect::placeholders(text) {
            let last = self.last.entry(kind).or_default();
            *last = (*last).max(number);
        }
    }

    /// Scrubs text that has no structure.
    pub(crate) fn text(&mut self, text: &str) -> String {
        let found = detect::find(text, &self.known);
        let mut clean = String::with_capacity(text.len());
        let mut done = 0;
        for item in found {
            clean.push_str(&text[done..item.range.start]);
            clean.push_str(&self.placeholder(item.kind, item.identity));
            done = item.range.end;
        }
        clean.push_str(&text[done..]);
        clean
    }

    /// Returns what stands for this thing.
    fn placeholder(&mut self, kind: Kind, identity: String) -> String {
        let room = self.numbers.len() < NUMBERED_MAX;
        let number = match self.numbers.get(&(kind, identity.clone())) {
            Some(number) => *number,
            None if !room => 0,
            None => {
                let last = self.last.entry(kind).or_default();
                *last += 1;
                self.numbers.insert((kind, identity), *last);
                *last
            }
        };
        format!("<{}-{number}>", kind.name())
    }
}

#[cfg(test)]
mod tests;
