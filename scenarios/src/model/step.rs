//! What a scenario does.

use std::{collections::BTreeMap, fmt, num::NonZeroU32, str::FromStr};

use mock_deepseek::Script;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Client, FrameMatch, Manner, Name, Protocol, Resume, SendFrames, UpstreamMatch};
use crate::{
    expr::Expr,
    line::{Link, Replica},
};

/// One step. Steps run one after the other; each is over when the program has settled.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Opens a WebSocket for a device.
    Connect(Device),
    /// Closes it.
    Disconnect(Hangup),
    /// Sends messages of a user.
    Send(Send),
    /// Stops the answer to the device's last message, or the one that it reads; a client of `chat.v1` can.
    Stop(Hangup),
    /// Sends a frame as it stands, good or bad.
    SendRaw(SendRaw),
    /// Sends frames of a WebSocket as they are on the wire, right or wrong.
    SendFrames(SendFrames),
    /// Lets a client misbehave below its messages: how it reads, how it leaves.
    Client(Client),
    /// Waits for evidence; time passes only as far as needed.
    Await(Box<Await>),
    /// Lets time pass.
    Advance {
        /// How much.
        by: Expr,
    },
    /// Calls the REST API.
    Http(Box<Call>),
    /// Gives this moment a name.
    Mark {
        /// The name.
        name: String,
    },
    /// Gives the model a new script.
    Llm(#[schemars(with = "serde_json::Value")] Box<Script>),
    /// Does the steps several times.
    Repeat {
        /// How often.
        times: Expr,
        /// What.
        steps: Vec<Self>,
    },
    /// Writes one fact from many writers at once, and keeps the history of the operations.
    WriteFacts(WriteFacts),
    /// Lets many devices confirm or dismiss one suggestion at once, and keeps the history of what they were told.
    Decide(Decide),
    /// Does something to the target's process; the scenario then needs `process`.
    Process {
        /// What.
        r#do: Doing,
    },
    /// Does something to a line of the target; the scenario then needs `database-link`, `llm-link`, `redis-link` or `replicas`.
    Network(Network),
    /// Writes into the target's database past the target, as its operator by hand; needs `database-sql`.
    Sql {
        /// One statement or several.
        text: String,
    },
}

/// Something done to a line.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Which line.
    pub link: Link,
    /// Whose, of several replicas; the first one's when not given.
    #[serde(default)]
    pub replica: Replica,
    /// What.
    pub r#do: Fault,
    /// How long all is held up, of a delay.
    pub by: Option<Expr>,
}

/// What can be done to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Cuts off what is connected and lets nobody through.
    Cut,
    /// Lets connections stay and nothing pass.
    Stall,
    /// Lets all pass `by` so much later.
    Delay,
    /// Lets the other end be read and not written, as with a full disk; on the built-in target alone.
    Fill,
    /// Lets all pass again.
    Restore,
}

/// What can be done to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// Kills it, with no time to put anything in order.
    Kill,
    /// Asks it to end, as an orderly shutdown does.
    Stop,
    /// Starts it again, and waits until it is ready.
    Start,
    /// Lets it stand still, all its connections open.
    Pause,
    /// Lets it go on.
    Resume,
}

/// A device of a user, written `user.device`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// `user.device`.
    #[schemars(with = "String")]
    pub device: Name,
    /// The token to present instead of the user's own, such as a bad one; none at all if it is empty. `{name}`
    /// becomes a saved value, here and in what follows.
    pub token: Option<String>,
    /// A query for the address, such as `ticket={ticket}`.
    pub query: Option<String>,
    /// Further headers of the request, such as `origin`, or others in their place.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Bytes that the system may keep for it unread, roughly; as usual when not given.
    pub receive_buffer: Option<u32>,
    /// What it speaks; `v0` when not given. The scenario then needs `chat-v1`.
    #[serde(default)]
    pub protocol: Protocol,
    /// Where a client of `chat.v1` takes up its stream; it begins anew when not given.
    pub resume: Option<Resume>,
    /// At which replica; the first one when not given. With another, the scenario needs `replicas`.
    #[serde(default)]
    pub replica: Replica,
}

impl Device {
    /// Returns how it knocks.
    pub(crate) fn manner(&self) -> Manner {
        Manner {
            headers: self.headers.clone(),
            query: self.query.clone(),
            receive_buffer: self.receive_buffer,
            protocol: self.protocol,
            resume: self.resume.clone(),
        }
    }
}

/// How a device goes away.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hangup {
    /// `user.device`.
    #[schemars(with = "String")]
    pub device: Name,
}

/// Messages of a user.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// `user.device`.
    #[schemars(with = "String")]
    pub device: Name,
    /// The message; `{n}` becomes its number, from 1.
    pub text: String,
    /// The client's id of it on `chat.v1`, to send it twice; one of its own when not given.
    pub id: Option<String>,
    /// The client's id of a message of this device whose place it takes, on `chat.v1`.
    pub replaces: Option<String>,
    /// How many; one when not given.
    pub count: Option<Expr>,
    /// Over which time they are spread evenly; all at once when not given.
    pub over: Option<Expr>,
    /// A name for the moment of the (first) sending.
    pub mark: Option<String>,
}

/// A frame as it stands.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendRaw {
    /// `user.device`.
    #[schemars(with = "String")]
    pub device: Name,
    /// The frame's text.
    pub text: Option<String>,
    /// Instead of a text: a message of so many characters.
    pub characters: Option<usize>,
}

/// Evidence to wait for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Await {
    /// Frames since the last sending.
    pub frame: Option<FrameMatch>,
    /// Requests to the model since the last sending.
    pub upstream: Option<UpstreamMatch>,
    /// How many; one when not given.
    pub count: Option<Expr>,
    /// How long at most; `llm.total + 1s` when not given.
    pub within: Option<Expr>,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names of the methods say it all")]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// A REST call.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Whose token is sent; nobody's when not given.
    #[schemars(with = "Option<String>")]
    pub user: Option<Name>,
    /// The method; GET when not given.
    #[serde(default = "get")]
    pub method: Method,
    /// The path; `{name}` becomes a saved value, `{token}` the user's token, `{nonce}` a word of this run alone.
    pub path: String,
    /// The JSON body; `{name}` inside strings becomes a saved value.
    #[schemars(with = "Option<serde_json::Value>")]
    pub body: Option<toml::Value>,
    /// A body that is no JSON, as it is, instead of `body`; `{name}` becomes a saved value.
    pub text: Option<String>,
    /// Further request headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// How many times, one after the other; once when not given.
    pub count: Option<Expr>,
    /// How many of them at once; one when not given.
    pub at_once: Option<Expr>,
    /// How long answers may take at most, where time must pass for them to come.
    pub within: Option<Expr>,
    /// At which replica; the first one when not given. With another, the scenario needs `replicas`.
    #[serde(default)]
    pub replica: Replica,
    /// A name for expectations to refer to.
    pub step: Option<String>,
    /// Values to keep: name to JSON pointer into the answer.
    #[serde(default)]
    pub save: BTreeMap<String, String>,
}

const fn get() -> Method {
    Method::Get
}

/// How a fact is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Writing {
    /// A new value each time, whatever is stored.
    Replace,
    /// The stored value with one word more, on condition of its version; on conflict again.
    Append,
}

/// Many writers on one fact.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteFacts {
    /// Whose fact.
    #[schemars(with = "String")]
    pub user: Name,
    /// The fact's key.
    pub key: String,
    /// How many at once.
    pub writers: u32,
    /// How many readers beside them; each reads as often as a writer writes.
    #[serde(default)]
    pub readers: u32,
    /// How many writes each must get acknowledged.
    pub each: u32,
    /// How.
    pub how: Writing,
    /// How many different values there are; not given, no two writes bring the same. The check `linearizable` then has to
    /// search for an order, which is bounded: a history of more than 1000 writes and reads is inconclusive.
    pub values: Option<NonZeroU32>,
    /// Kills the target's process when so many writes were acknowledged, and starts it again when all are done; the
    /// scenario then needs `process`.
    pub killed_after: Option<Expr>,
    /// Further facts that are written and read in the same way at the same time.
    #[serde(default)]
    pub also: Vec<OtherFact>,
}

/// A further fact.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherFact {
    /// Whose fact.
    #[schemars(with = "String")]
    pub user: Name,
    /// The fact's key.
    pub key: String,
}

/// Many devices that decide upon one suggestion.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// Whose suggestion.
    #[schemars(with = "String")]
    pub user: Name,
    /// The name under which an `http` step has saved the suggestion's id. Steps with the same name make one history.
    #[schemars(with = "String")]
    pub suggestion: Name,
    /// How many confirm it at once.
    #[serde(default)]
    pub confirm: u8,
    /// How many dismiss it at the same time.
    #[serde(default)]
    pub dismiss: u8,
    /// A user whose suggestion it is not, and who confirms it as often.
    #[schemars(with = "Option<String>")]
    pub stranger: Option<Name>,
}

/// A device's full name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceName {
    /// The user.
    pub user: String,
    /// The device.
    pub device: String,
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('.') {
            Some((user, device)) if !user.is_empty() && !device.is_empty() => {
                Ok(Self { user: user.to_owned(), device: device.to_owned() })
            }
            _ => Err(format!("`{text}` is not a device; write `user.device`, such as `ana.phone`")),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.user, self.device)
    }
}
