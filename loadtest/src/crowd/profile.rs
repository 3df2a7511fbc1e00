//! The profile of a crowd: who does what, how often, and what must hold.
//!
//! Invariant: whoever holds a [`Profile`] need not check it again: it is bounded in count and time, and the names of
//! its groups are unique.

use std::{collections::BTreeSet, time::Duration};

use scenarios::model::Protocol;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::threshold::Threshold;
use crate::{
    duration,
    profile::{
        CHUNKS_MAX, CONNECTIONS_MAX, ProfileError, TIME_MAX, connections, plain, read, some_time, span, time,
        within,
    },
};

/// The most messages or writes of one user at once.
pub const MESSAGES_MAX: u64 = 10_000;

/// The most steps of a load.
pub const STEPS_MAX: usize = 20;

/// A profile file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What the profile shows, in a sentence.
    pub about: String,
    /// Of all that is left to chance.
    #[serde(default = "one")]
    pub seed: u64,
    /// Settings of the target by dotted name.
    #[serde(default)]
    pub settings: toml::Table,
    /// What sockets speak.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub protocol: Protocol,
    /// How the model answers.
    #[serde(default)]
    pub model: Model,
    /// Time over which users come, evenly.
    #[serde(default, deserialize_with = "time", serialize_with = "duration::serialize")]
    pub ramp: Duration,
    /// Time between the last user and the first measured second.
    #[serde(deserialize_with = "time", serialize_with = "duration::serialize")]
    pub warm_up: Duration,
    /// Measured time.
    #[serde(deserialize_with = "a_second", serialize_with = "duration::serialize")]
    pub duration: Duration,
    /// So many steps lead to all users, of one size, each with a ramp, a warm-up and a measured time of its own. What must
    /// hold must hold at each; after the first at which something does not, no further one is taken.
    #[serde(default = "one_step", deserialize_with = "steps")]
    pub steps: usize,
    /// What each user has behind them when they come, where the target can be given such users.
    #[serde(default)]
    pub past: Past,
    /// A turn that has no end after so long has none.
    #[serde(default = "a_minute", deserialize_with = "a_second", serialize_with = "duration::serialize")]
    pub patience: Duration,
    /// What must hold, such as `p99(turn.first_token) < 300ms`.
    #[serde(default)]
    pub thresholds: Vec<Threshold>,
    /// Who is there.
    #[serde(deserialize_with = "groups")]
    pub groups: Vec<Group>,
}

/// What a user has behind them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Past {
    /// Messages, questions and answers together.
    #[serde(deserialize_with = "behind")]
    pub messages: u64,
    /// Facts that are known.
    #[serde(deserialize_with = "behind")]
    pub facts: u64,
}

/// How the model answers: every answer alike, so that its text can be checked to the letter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// Pieces of an answer.
    #[serde(deserialize_with = "pieces")]
    pub pieces: usize,
    /// Time before the first piece.
    #[serde(deserialize_with = "time", serialize_with = "duration::serialize")]
    pub first_token: Duration,
    /// Time between two pieces.
    #[serde(deserialize_with = "time", serialize_with = "duration::serialize")]
    pub gap: Duration,
}

impl Default for Model {
    fn default() -> Self {
        Self { pieces: 20, first_token: Duration::ZERO, gap: Duration::from_millis(10) }
    }
}

/// People who do the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Short name.
    pub name: String,
    /// How many they are.
    #[serde(deserialize_with = "connections")]
    pub users: usize,
    /// What each of them does.
    pub does: Does,
}

/// What a user does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Does {
    /// Asks, reads the answer, and asks again.
    Chat(Chat),
    /// Holds a socket open, answers pings, and says nothing.
    Idle(Idle),
    /// Sends many messages at once, once, and counts what became of each.
    Flood(Flood),
    /// Writes facts over HTTP, at once with others.
    Facts(Facts),
}

/// How somebody chats.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chat {
    /// When questions are due.
    #[serde(default)]
    pub arrival: Arrival,
    /// How often one is due; with `closed`, how long somebody thinks after an answer.
    #[serde(deserialize_with = "time", serialize_with = "duration::serialize")]
    pub every: Duration,
    /// What is asked.
    #[serde(default = "question")]
    pub message: String,
    /// Whether the message tells of an emergency: then a safety frame must come before the answer.
    #[serde(default)]
    pub emergency: bool,
    /// Whether a socket is opened for each question, and closed after the answer.
    #[serde(default)]
    pub reconnects: bool,
    /// The socket is lost in the middle of each answer, for so long, and the stream then taken up where it was: of
    /// `chat.v1` alone.
    #[serde(
        default,
        deserialize_with = "tunnel",
        serialize_with = "in_ms",
        skip_serializing_if = "Option::is_none"
    )]
    pub tunnel: Option<Duration>,
}

/// How somebody floods: what the target's limit on messages is must be said beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flood {
    /// Messages, as fast as they go.
    #[serde(deserialize_with = "messages")]
    pub messages: u64,
    /// So many the limit lets through at once.
    pub burst: u64,
    /// And one more after each such while.
    #[serde(deserialize_with = "some_time", serialize_with = "duration::serialize")]
    pub refill: Duration,
    /// What is asked.
    #[serde(default = "question")]
    pub message: String,
}

/// How facts are written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// So many people share all writers: each has one fact, and those who write it do so at once.
    pub people: usize,
    /// What each writer writes, one after the other, as fast as it goes.
    #[serde(deserialize_with = "messages")]
    pub writes: u64,
    /// Whether a write takes the place of what is there, or adds a word to what it has read.
    pub how: How,
}

/// How a fact is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// The new value takes the place of the old one.
    Replace,
    /// A word is added, on condition of the version that was read; on conflict again.
    Append,
}

/// Nothing to be said about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Idle {}

/// When questions are due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrival {
    /// At even times, whether or not the last answer has ended: an open model.
    #[default]
    Steady,
    /// As the steady ones in the mean, and by chance: an open model.
    Poisson,
    /// A while after the end of the last answer: a closed model, which hides what a slow target keeps back.
    Closed,
}

impl Profile {
    /// Names and texts of the profiles that come with the program.
    pub const BUILT_IN: [(&str, &str); 8] = [
        ("chat", include_str!("../../profiles/chat.toml")),
        ("idle", include_str!("../../profiles/idle.toml")),
        ("ws-flood", include_str!("../../profiles/ws-flood.toml")),
        ("facts", include_str!("../../profiles/facts.toml")),
        ("slow-llm", include_str!("../../profiles/slow-llm.toml")),
        ("reconnect-storm", include_str!("../../profiles/reconnect-storm.toml")),
        ("tunnels", include_str!("../../profiles/tunnels.toml")),
        ("mixed", include_str!("../../profiles/mixed.toml")),
    ];

    /// Returns whether a profile's text is about a crowd: it has groups.
    pub fn is_one(text: &str) -> bool {
        text.parse::<toml::Table>().is_ok_and(|table| table.contains_key("groups"))
    }

    /// Reads a profile; `name` stands in the error.
    pub fn parse(name: &str, text: &str) -> Result<Self, ProfileError> {
        read(name, text)
    }

    /// Returns what was loaded with, in one line: runs are alike where that is the same.
    pub(crate) fn load(&self) -> String {
        let load = Self { about: String::new(), thresholds: Vec::new(), ..self.clone() };
        serde_json::to_string(&load).unwrap_or_default()
    }

    /// Returns the longest tunnel, if there is one.
    pub(crate) fn tunnel(&self) -> Option<Duration> {
        let tunnels = self.groups.iter().filter_map(|group| match &group.does {
            Does::Chat(chat) => chat.tunnel,
            _ => None,
        });
        tunnels.max()
    }

    /// Returns how many users there are.
    pub fn users(&self) -> usize {
        self.groups.iter().map(|group| group.users).sum()
    }

    /// Returns who each user is: those who write one fact are one person.
    pub(crate) fn people(&self) -> Vec<usize> {
        let mut people = Vec::with_capacity(self.users());
        for group in &self.groups {
            let first = people.len();
            let count = match &group.does {
                Does::Facts(facts) => facts.people.clamp(1, group.users),
                _ => group.users,
            };
            people.extend((0..group.users).map(|n| first + n % count));
        }
        people
    }

    /// Makes them so many in all, each group in proportion and at least one.
    pub fn scale_to(&mut self, users: usize) {
        let before = self.users().max(1);
        for group in &mut self.groups {
            group.users = (group.users * users / before).max(1);
        }
    }
}

/// What goes without saying is not written: reports of before it could be said stay comparable.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_usual(protocol: &Protocol) -> bool {
    *protocol == Protocol::default()
}

const fn one() -> u64 {
    1
}

const fn one_step() -> usize {
    1
}

const fn a_minute() -> Duration {
    Duration::from_mins(1)
}

fn question() -> String {
    "Which vegetables are rich in folate?".to_owned()
}

fn groups<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Group>, D::Error> {
    let groups: Vec<Group> = Vec::deserialize(deserializer)?;
    let mut seen = BTreeSet::new();
    if let Some(twice) = groups.iter().find(|group| !seen.insert(&group.name)) {
        return Err(D::Error::custom(format!("two groups are named `{}`", twice.name)));
    }
    let hurried = |group: &&Group| matches!(&group.does, Does::Chat(chat) if chat.every.is_zero() && chat.arrival != Arrival::Closed);
    if let Some(group) = groups.iter().find(hurried) {
        let hint = "only with `arrival = \"closed\"` may a question follow the answer at once";
        return Err(D::Error::custom(format!("`every` of the group `{}` is no time; {hint}", group.name)));
    }
    within(groups.iter().map(|group| group.users).sum(), [1, CONNECTIONS_MAX], |n: usize| {
        format!("{n} users in all")
    })?;
    Ok(groups)
}

fn messages<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(u64::deserialize(deserializer)?, [1, MESSAGES_MAX], plain)
}

fn behind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    within(u64::deserialize(deserializer)?, [0, MESSAGES_MAX], plain)
}

fn steps<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    within(usize::deserialize(deserializer)?, [1, STEPS_MAX], plain)
}

fn pieces<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    within(usize::deserialize(deserializer)?, [1, CHUNKS_MAX], plain)
}

fn tunnel<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    time(deserializer).map(Some)
}

#[expect(clippy::ref_option, reason = "serde hands it over so")]
fn in_ms<S: Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration::serialize(&span.unwrap_or_default(), serializer)
}

fn a_second<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    within(duration::deserialize(deserializer)?, [Duration::from_secs(1), TIME_MAX], span)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "about = \"x\"\nwarm_up = \"0s\"\nduration = \"1s\"\n\
        [[groups]]\nname = \"a\"\nusers = 2\ndoes = { chat = { every = \"1s\" } }\n";

    fn error(text: &str) -> String {
        Profile::parse("x.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn every_built_in_profile_is_valid_l2() {
        for (name, text) in Profile::BUILT_IN {
            assert!(Profile::is_one(text), "{name}");
            Profile::parse(name, text).unwrap();
        }
    }

    #[test]
    fn a_wrong_word_is_shown_with_its_line_and_the_right_one() {
        let told = error(&SMALL.replace("every", "evry"));

        assert!(told.contains("unknown field `evry`") && told.contains("did you mean `every`?"), "{told}");
    }

    #[test]
    fn questions_that_are_due_without_end_are_refused_l4() {
        let told = error(&SMALL.replace("\"1s\" } }", "\"0s\" } }"));

        assert!(told.contains("`every` of the group `a` is no time"), "{told}");
        let closed = SMALL.replace("\"1s\" } }", "\"0s\", arrival = \"closed\" } }");
        assert!(Profile::parse("x", &closed).is_ok());
    }

    #[test]
    fn more_users_than_the_program_carries_are_refused() {
        let told = error(&SMALL.replace("users = 2", "users = 60000"));

        assert!(told.contains("60000 is out of bounds: write 1 to 50000"), "{told}");
        let two = format!("{SMALL}[[groups]]\nname = \"b\"\nusers = 50000\ndoes = {{ idle = {{}} }}\n");
        assert!(error(&two).contains("50002 users in all"), "{}", error(&two));
    }

    #[test]
    fn groups_are_scaled_in_proportion_and_none_is_lost() {
        let text = format!("{SMALL}[[groups]]\nname = \"b\"\nusers = 198\ndoes = {{ idle = {{}} }}\n");
        let mut profile = Profile::parse("x", &text).unwrap();

        profile.scale_to(50);

        assert_eq!(profile.groups.iter().map(|group| group.users).collect::<Vec<_>>(), [1, 49]);
    }
}
