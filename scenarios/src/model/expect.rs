//! What must be seen.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{FrameMatch, HttpMatch, LogMatch, MetricMatch, Name, SocketMatch, UpstreamMatch};
use crate::expr::Expr;

/// One expectation: an id and exactly one of the kinds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Names it in reports and in `caught_by`.
    #[schemars(with = "String")]
    pub id: Name,
    /// No such event.
    pub never: Option<Never>,
    /// So many such events.
    pub sometimes: Option<Sometimes>,
    /// Such an event in time.
    pub eventually: Option<Eventually>,
    /// Every such event is like this.
    pub always: Option<Always>,
    /// The history of concurrent operations is sound.
    pub history: Option<History>,
}

impl Expect {
    /// Returns the marks that the expectation refers to.
    pub fn marks(&self) -> impl Iterator<Item = &str> {
        let never = self.never.iter().flat_map(|kind| [&kind.after, &kind.before]);
        let sometimes = self.sometimes.iter().flat_map(|kind| [&kind.after, &kind.before]);
        let always = self.always.iter().map(|kind| &kind.after);
        let named = never.chain(sometimes).chain(always).flatten();
        named.chain(self.eventually.iter().map(|kind| &kind.after)).map(String::as_str)
    }
}

/// The events that an expectation speaks of.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Subject {
    /// Frames that devices received.
    Frame(FrameMatch),
    /// Requests that the model got.
    Upstream(UpstreamMatch),
    /// Answers of REST calls.
    Http(HttpMatch),
    /// Sockets that opened, were refused or closed.
    Socket(SocketMatch),
    /// A metric, as that many events at the end.
    Metric(MetricMatch),
    /// Lines of the target's log, as that many events at the end.
    Log(LogMatch),
}

/// A stretch of time between two marks.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// Not before this mark.
    pub after: Option<String>,
    /// Not after this mark.
    pub before: Option<String>,
}

/// No such event.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Never {
    /// Which.
    pub on: Subject,
    /// Only after this mark.
    pub after: Option<String>,
    /// Only before this mark.
    pub before: Option<String>,
}

/// So many such events.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sometimes {
    /// Which.
    pub on: Subject,
    /// Just so many.
    pub exactly: Option<Expr>,
    /// At least so many; one when nothing is given.
    pub at_least: Option<Expr>,
    /// At most so many.
    pub at_most: Option<Expr>,
    /// Only after this mark.
    pub after: Option<String>,
    /// Only before this mark.
    pub before: Option<String>,
}

/// Such an event in time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Eventually {
    /// Which.
    pub on: Subject,
    /// The mark from which time counts.
    pub after: String,
    /// At the latest so long after the mark.
    pub within: Expr,
    /// At the earliest so long after the mark.
    pub not_before: Option<Expr>,
}

/// Every such event is like this.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Always {
    /// Which.
    pub on: Subject,
    /// What each of them must be.
    pub is: Subject,
    /// At least so many must be there to be judged (sample floor); one when not given.
    pub at_least: Option<Expr>,
    /// Only after this mark.
    pub after: Option<String>,
}

/// A question to the history of concurrent operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HistoryCheck {
    /// Every acknowledged write is in the stored history once, nothing else is, and it is one serial
    /// order without gaps.
    SerialHistory,
    /// Every acknowledged append is in the final value once, and nothing else is.
    NoLostUpdate,
    /// Reads and writes could have happened one after the other: no read is stale, goes back, or brings what nobody
    /// wrote.
    Linearizable,
    /// A suggestion was confirmed once or dismissed, everybody was told the same, and nobody else had a say.
    DecidedOnce,
}

/// The history of concurrent operations is sound.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Whose fact; not needed when only one user has one of this key.
    #[schemars(with = "Option<String>")]
    pub user: Option<Name>,
    /// The key of the fact that `write_facts` wrote, or the suggestion of `decide`.
    pub key: String,
    /// The question.
    pub check: HistoryCheck,
    /// At least so many acknowledged writes or decisions must be there to be judged.
    pub at_least: Expr,
}
