//! Which lane a line of a transcript belongs to.

use std::borrow::Cow;

use super::faults;
use crate::{
    report::words,
    result::{Line, LineKind},
};

/// Lanes for people; those who came later share one.
const PEOPLE: usize = 12;

/// A lane, from the top to the bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane<'a> {
    /// A device, or a user who calls the REST API.
    Person(&'a str),
    /// So many more of them.
    Others(usize),
    /// What the server asks the model for.
    Server,
    /// How the model's answers end.
    Model,
    /// What was broken on purpose.
    Faults,
    /// Where time was moved.
    Clock,
    /// What the harness says.
    Notes,
}

impl Lane<'_> {
    /// Returns what the reader sees of it.
    pub(super) fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Person(name) => Cow::Borrowed(*name),
            Self::Others(count) => Cow::Owned(format!("{count} more")),
            Self::Server => Cow::Borrowed("server"),
            Self::Model => Cow::Borrowed("model"),
            Self::Faults => Cow::Borrowed("faults"),
            Self::Clock => Cow::Borrowed("clock"),
            Self::Notes => Cow::Borrowed("notes"),
        }
    }
}

/// The lanes of a transcript.
#[derive(Debug)]
pub(super) struct Lanes<'a> {
    /// From the top to the bottom.
    pub(super) all: Vec<Lane<'a>>,
    /// The lane of each line.
    pub(super) of: Vec<usize>,
}

impl<'a> Lanes<'a> {
    pub(super) fn new(lines: &'a [Line]) -> Self {
        let people = people(lines);
        let hidden = people.len().saturating_sub(PEOPLE);
        let shown = &people[..people.len() - hidden];
        let others = Lane::Others(hidden);
        let wanted: Vec<_> = lines
            .iter()
            .map(|line| match lane(line) {
                Lane::Person(name) if !shown.contains(&name) => others,
                lane => lane,
            })
            .collect();
        let below = [others, Lane::Server, Lane::Model, Lane::Faults, Lane::Clock, Lane::Notes];
        let has_exchanges = lines.iter().any(|line| line.kind == LineKind::UpstreamEnd);
        let is_used = |lane: &Lane<'_>| wanted.contains(lane) || (*lane == Lane::Model && has_exchanges);
        let all: Vec<_> =
            shown.iter().map(|name| Lane::Person(name)).chain(below.into_iter().filter(is_used)).collect();
        let of = wanted.iter().map(|lane| all.iter().position(|other| other == lane).unwrap_or(0)).collect();
        Self { all, of }
    }
}

/// Returns the lane of a line, as if there were room for everybody.
fn lane(line: &Line) -> Lane<'_> {
    match line.kind {
        LineKind::Clock => Lane::Clock,
        LineKind::Upstream => Lane::Server,
        LineKind::UpstreamEnd if faults(line).is_empty() => Lane::Model,
        LineKind::Note if line.actor == "harness" => Lane::Notes,
        LineKind::UpstreamEnd | LineKind::Note => Lane::Faults,
        LineKind::Socket | LineKind::Sent | LineKind::Frame | LineKind::Http => Lane::Person(&line.actor),
    }
}

/// Returns who has a lane: users in the order of their first deed, the devices of one side by side.
fn people(lines: &[Line]) -> Vec<&str> {
    let mut people: Vec<&str> = Vec::new();
    for line in lines {
        if let Lane::Person(name) = lane(line)
            && !people.contains(&name)
        {
            people.push(name);
        }
    }
    let came = people.clone();
    people.sort_by_key(|name| came.iter().position(|other| words::user(other) == words::user(name)));
    people
}
