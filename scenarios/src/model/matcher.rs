//! Which events an expectation or a wait speaks of.
//!
//! Every field that is given must hold; an empty matcher matches everything of its kind.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::expr::Expr;

/// Frames that a device received.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrameMatch {
    /// `user.device`, or a user for all of its devices.
    pub device: Option<String>,
    /// The frame's type: `message`, `calendar`, `error`, `done`.
    pub r#type: Option<String>,
    /// The frame's kind: `answer`, `canned`, `fallback`, `safety`, `notice`.
    pub kind: Option<String>,
    /// The frame's code.
    pub code: Option<String>,
    /// The frame's action.
    pub action: Option<String>,
    /// The whole text.
    pub text: Option<String>,
    /// A part of the text.
    pub contains: Option<String>,
    /// A regular expression that the text matches.
    pub matches: Option<String>,
    /// The model's whole answer, as the user read it piece by piece; only a frame that ends a turn has one.
    pub answer: Option<String>,
    /// Values by JSON pointer.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub json: BTreeMap<String, toml::Value>,
    /// JSON pointers that must exist.
    #[serde(default)]
    pub has: Vec<String>,
}

/// How an exchange with the model ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The mock wrote all that it had planned.
    Completed,
    /// The plan cut the connection.
    Cut,
    /// The client hung up.
    ClientHungUp,
    /// It has not.
    Open,
}

/// Requests that the model got.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpstreamMatch {
    /// A part of any message of the prompt.
    pub contains: Option<String>,
    /// A text that no message of the prompt holds.
    pub lacks: Option<String>,
    /// The last message, whole.
    pub last: Option<String>,
    /// A text, and how many times it must stand in the prompt.
    #[serde(default)]
    pub times: BTreeMap<String, usize>,
    /// Texts that stand in the prompt in this order.
    #[serde(default)]
    pub in_order: Vec<String>,
    /// How many messages the prompt holds, the system message not counted.
    pub messages: Option<Expr>,
    /// JSON pointers that must exist in the request.
    #[serde(default)]
    pub has: Vec<String>,
    /// How the exchange ended.
    pub ended: Option<Ending>,
    /// A fault that went over the wire.
    pub fault: Option<String>,
}

/// Answers of REST calls.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpMatch {
    /// The `step` name of the call.
    pub step: Option<String>,
    /// The status.
    pub status: Option<u16>,
    /// Values of the body by JSON pointer.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub json: BTreeMap<String, toml::Value>,
    /// Lengths of arrays of the body by JSON pointer.
    #[serde(default)]
    pub length: BTreeMap<String, usize>,
    /// JSON pointers that must exist.
    #[serde(default)]
    pub has: Vec<String>,
    /// A part of the body's text.
    pub contains: Option<String>,
    /// Headers that must exist, in lower case.
    #[serde(default)]
    pub headers: Vec<String>,
}

/// Sockets that opened, were refused or closed, or whose ping was answered.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SocketMatch {
    /// `user.device`, or a user for all of its devices.
    pub device: Option<String>,
    /// The HTTP status of a refused upgrade.
    pub refused: Option<u16>,
    /// The close code that the server sent; 1006 for a connection that just ended.
    pub closed: Option<u16>,
    /// Instead of that: the last of its pings was answered.
    #[serde(default)]
    pub pong: bool,
}

/// Lines that the target wrote to its log, at the end. Tokens of users stand there as `<token of ana>`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogMatch {
    /// The line contains this.
    pub contains: String,
}

/// A counter or gauge of the target, at the end.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricMatch {
    /// Its name.
    pub name: String,
    /// Labels that it must have.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}
