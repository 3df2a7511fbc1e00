//! A profile: which load, how it is measured, and what must hold.
//!
//! Invariant: whoever holds a [`Profile`] need not check it again: it is bounded in count and time, and
//! the names of its cases are unique.

use std::{collections::BTreeSet, fmt::Display, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};

use crate::{crowd, duration};

/// The most connections of a case.
pub const CONNECTIONS_MAX: usize = 50_000;
/// The most chunks of a stream.
pub const CHUNKS_MAX: usize = 100_000;
/// The most rounds of a case, and the most windows of a round.
pub const WINDOWS_MAX: usize = 100;
/// The longest of any time in a profile.
pub const TIME_MAX: Duration = Duration::from_mins(10);

const STREAMS: &str = include_str!("../profiles/mock-streams.toml");

/// A profile file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What the profile shows, in a sentence.
    pub about: String,
    /// What is asked.
    #[serde(default)]
    pub request: Request,
    /// The cases, in the order in which they are run.
    #[serde(deserialize_with = "cases")]
    pub cases: Vec<Case>,
}

/// The request that every connection sends again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    /// Path on the target.
    pub path: String,
    /// The model that is asked.
    pub model: String,
    /// What the user says.
    pub message: String,
    /// The API key.
    pub key: String,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            path: "/chat/completions".to_owned(),
            model: "deepseek-flash".to_owned(),
            message: "Which week am I in?".to_owned(),
            key: "sk-load".to_owned(),
        }
    }
}

/// One load and how it is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Short name, for `--case`.
    pub name: String,
    /// What the case is, in a few words.
    pub title: String,
    /// Connections at once; each has one answer under way at any time.
    #[serde(deserialize_with = "connections")]
    pub connections: usize,
    /// Whether answers are streamed; then the unit is a chunk, else an answer.
    pub stream: bool,
    /// Events of a stream, `[DONE]` not counted; of an answer in one piece, its tokens and two.
    #[serde(deserialize_with = "chunks")]
    pub chunks: usize,
    /// Time between two chunks; none when it is left out.
    #[serde(default, deserialize_with = "time", serialize_with = "duration::serialize")]
    pub gap: Duration,
    /// Whether writes of the target may merge.
    #[serde(default)]
    pub flush: Flush,
    /// How often floor and target take turns.
    #[serde(default = "five", deserialize_with = "windows")]
    pub rounds: usize,
    /// Measured windows of each turn.
    #[serde(default = "one", deserialize_with = "windows")]
    pub windows: usize,
    /// Length of a window.
    #[serde(deserialize_with = "some_time", serialize_with = "duration::serialize")]
    pub window: Duration,
    /// Time between the last connection and the first window, which is not measured.
    #[serde(deserialize_with = "time", serialize_with = "duration::serialize")]
    pub warm_up: Duration,
    /// Time over which connections are opened, evenly; all at once when it is left out.
    #[serde(default, deserialize_with = "time", serialize_with = "duration::serialize")]
    pub ramp: Duration,
    /// Answers under way at the end get so much time to end; with none they are cut and not judged.
    #[serde(default, deserialize_with = "time", serialize_with = "duration::serialize")]
    pub drain: Duration,
    /// Whether `--rules` measures this case a third time, with rules that do not match.
    #[serde(default)]
    pub with_rules: bool,
    /// What must hold.
    #[serde(default)]
    pub limits: Limits,
}

/// Whether writes may merge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flush {
    /// As the target likes.
    #[default]
    Merge,
    /// Each event is written by itself.
    Event,
}

/// Thresholds; a broken one is exit code 1. Medians over the windows are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// CPU time of the target per unit, in microseconds.
    #[serde(deserialize_with = "positive")]
    pub cpu_us_max: Option<f64>,
    /// The same as a multiple of the floor's.
    #[serde(deserialize_with = "positive")]
    pub cpu_ratio_max: Option<f64>,
    /// Units per second.
    #[serde(deserialize_with = "positive")]
    pub rate_min: Option<f64>,
    /// 99th percentile of the time of a whole answer, in milliseconds.
    #[serde(deserialize_with = "positive")]
    pub answer_p99_ms_max: Option<f64>,
    /// 99th percentile of the time between two chunks, in milliseconds.
    #[serde(deserialize_with = "positive")]
    pub gap_p99_ms_max: Option<f64>,
    /// Memory per connection, in KiB.
    #[serde(deserialize_with = "positive")]
    pub rss_kib_per_connection_max: Option<f64>,
    /// How much more CPU time per unit rules that do not match may cost, as a share.
    #[serde(deserialize_with = "positive")]
    pub rules_loss_max: Option<f64>,
}

impl Limits {
    /// Returns whether a limit is judged by times that the client sees.
    pub(crate) fn judge_time(&self) -> bool {
        [self.answer_p99_ms_max, self.gap_p99_ms_max, self.rate_min].iter().any(Option::is_some)
    }
}

/// A profile could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The file is not valid.
    #[error("profile `{name}` is not valid: {message}{hint}")]
    Invalid {
        /// Name or file.
        name: String,
        /// What is wrong, with line and caret.
        message: String,
        /// The way out, on a line of its own.
        hint: String,
    },
    /// No such profile is built in.
    #[error(
        "there is no profile `{name}`{hint}\n  hint: built in are {known}; for a file, write its path, such as `./my.toml`"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        hint: String,
        /// Those that there are.
        known: String,
    },
    /// No such case.
    #[error("the profile has no case `{name}`\n  hint: it has {}", .cases.join(", "))]
    NoCase {
        /// What was asked for.
        name: String,
        /// The cases that there are.
        cases: Vec<String>,
    },
}

/// Returns the text of a profile that comes with the program.
pub fn built_in(name: &str) -> Result<&'static str, ProfileError> {
    let all = || crowd::profile::Profile::BUILT_IN.into_iter().chain([("mock-streams", STREAMS)]);
    all().find_map(|(known, text)| (known == name).then_some(text)).ok_or_else(|| ProfileError::Unknown {
        name: name.to_owned(),
        hint: did_you_mean(name, all().map(|(name, _)| name)),
        known: all().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    })
}

/// Reads a profile of either kind; `name` stands in the error.
pub(crate) fn read<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, ProfileError> {
    toml::from_str(text).map_err(|error: toml::de::Error| ProfileError::Invalid {
        name: name.to_owned(),
        hint: unknown(error.message()),
        message: error.to_string().trim_end().to_owned(),
    })
}

impl Profile {
    /// Reads a profile; `name` stands in the error.
    pub fn parse(name: &str, text: &str) -> Result<Self, ProfileError> {
        read(name, text)
    }

    /// Keeps the cases of these names, in the order of the profile; all for no name.
    pub fn keep(&mut self, names: &[String]) -> Result<(), ProfileError> {
        let known = |name: &&String| self.cases.iter().all(|case| case.name != **name);
        if let Some(name) = names.iter().find(known) {
            let cases = self.cases.iter().map(|case| format!("`{}`", case.name)).collect();
            return Err(ProfileError::NoCase { name: name.clone(), cases });
        }
        self.cases.retain(|case| names.is_empty() || names.contains(&case.name));
        Ok(())
    }

    /// Divides `duration` evenly over the windows of each case.
    pub fn measure_for(&mut self, duration: Duration) {
        for case in &mut self.cases {
            let windows = u32::try_from(case.rounds * case.windows).unwrap_or(u32::MAX);
            case.window = (duration / windows).max(Duration::from_millis(1));
        }
    }
}

impl Case {
    /// Returns how long floor and target together take at most, waiting for connections aside.
    pub fn takes(&self, subjects: usize) -> Duration {
        let windows = self.window * u32::try_from(self.windows).unwrap_or(u32::MAX);
        let turn = self.ramp + self.warm_up + windows + self.drain;
        turn * u32::try_from(self.rounds * subjects).unwrap_or(u32::MAX)
    }

    /// Returns what the figures are counted in.
    pub fn unit(&self) -> &'static str {
        if self.stream { "chunk" } else { "answer" }
    }
}

fn five() -> usize {
    5
}

fn one() -> usize {
    1
}

fn cases<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Case>, D::Error> {
    let cases: Vec<Case> = Vec::deserialize(deserializer)?;
    let mut seen = BTreeSet::new();
    match cases.iter().find(|case| !seen.insert(&case.name)) {
        Some(twice) => Err(D::Error::custom(format!("two cases are named `{}`", twice.name))),
        None if cases.is_empty() => Err(D::Error::custom("a profile has at least one case")),
        None => Ok(cases),
    }
}

/// Checks that a value lies within bounds, both included.
pub(crate) fn within<E, T>(value: T, [least, most]: [T; 2], shown: impl Fn(T) -> String) -> Result<T, E>
where
    E: serde::de::Error,
    T: PartialOrd + Copy,
{
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(E::custom(format!("{} is out of bounds: write {} to {}", shown(value), shown(least), shown(most))))
}

pub(crate) fn plain(value: impl Display) -> String {
    value.to_string()
}

pub(crate) fn span(value: Duration) -> String {
    format!("{value:?}")
}

pub(crate) fn connections<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    within(usize::deserialize(deserializer)?, [1, CONNECTIONS_MAX], plain)
}

/// The first chunk names the role and the last one the finish, so there are three with one of text.
fn chunks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    within(usize::deserialize(deserializer)?, [3, CHUNKS_MAX], plain)
}

fn windows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    within(usize::deserialize(deserializer)?, [1, WINDOWS_MAX], plain)
}

pub(crate) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    within(duration::deserialize(deserializer)?, [Duration::ZERO, TIME_MAX], span)
}

pub(crate) fn some_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    within(duration::deserialize(deserializer)?, [Duration::from_millis(1), TIME_MAX], span)
}

fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let value = f64::deserialize(deserializer)?;
    if value > 0.0 && value.is_finite() {
        return Ok(Some(value));
    }
    Err(D::Error::custom(format!("{value} is no limit: write a number above 0")))
}

/// Finds the expected word that is most like the unknown one, in a message of serde's making.
fn unknown(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(wrong) if message.starts_with("unknown ") => did_you_mean(wrong, quoted),
        _ => String::new(),
    }
}

pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    candidates
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(String::new, |(_, candidate)| format!("\n  hint: did you mean `{candidate}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: &str = "about = \"x\"\n[[cases]]\nname = \"a\"\ntitle = \"x\"\nconnections = 4\nstream = true\n\
        chunks = 5\nwindow = \"1s\"\nwarm_up = \"1s\"\n";

    fn error(text: &str) -> String {
        Profile::parse("x.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn the_built_in_profile_is_valid_and_has_the_five_cases_m18() {
        let profile = Profile::parse("mock-streams", built_in("mock-streams").unwrap()).unwrap();

        let names: Vec<_> = profile.cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "b-flushed", "c", "d"]);
        assert!(profile.cases.iter().all(|case| case.rounds * case.windows >= 5), "a median of five windows");
    }

    #[test]
    fn a_value_out_of_bounds_is_shown_with_its_line() {
        insta::assert_snapshot!(error(&CASE.replace("connections = 4", "connections = 0")), @r"
        profile `x.toml` is not valid: TOML parse error at line 5, column 15
          |
        5 | connections = 0
          |               ^
        0 is out of bounds: write 1 to 50000
        ");
    }

    #[test]
    fn a_key_that_does_not_exist_is_shown_with_the_nearest_one() {
        insta::assert_snapshot!(error(&format!("{CASE}warmup = \"1s\"\n")), @r#"
        profile `x.toml` is not valid: TOML parse error at line 10, column 1
           |
        10 | warmup = "1s"
           | ^^^^^^
        unknown field `warmup`, expected one of `name`, `title`, `connections`, `stream`, `chunks`, `gap`, `flush`, `rounds`, `windows`, `window`, `warm_up`, `ramp`, `drain`, `with_rules`, `limits`
          hint: did you mean `warm_up`?
        "#);
    }

    #[test]
    fn a_time_without_a_unit_is_refused() {
        assert!(error(&CASE.replace("\"1s\"", "\"1\"")).contains("`1` is not a duration"));
    }

    #[test]
    fn two_cases_of_one_name_are_refused() {
        let twice = CASE.replace("about = \"x\"\n", "");

        assert!(error(&format!("{CASE}{twice}")).contains("two cases are named `a`"));
    }

    #[test]
    fn a_limit_must_be_positive() {
        assert!(error(&format!("{CASE}limits = {{ cpu_us_max = 0.0 }}\n")).contains("above 0"));
    }

    #[test]
    fn cases_are_kept_by_name_and_an_unknown_one_is_named() {
        let mut profile = Profile::parse("x", CASE).unwrap();

        assert!(profile.keep(&["a".to_owned()]).is_ok());
        let error = profile.keep(&["z".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("`z`") && error.contains("`a`"), "{error}");
    }

    #[test]
    fn a_duration_is_divided_over_the_windows() {
        let mut profile = Profile::parse("x", CASE).unwrap();

        profile.measure_for(Duration::from_secs(1));

        assert_eq!(profile.cases[0].window, Duration::from_millis(200));
    }
}
