//! Somebody's back end: described by a file, reached by its URL, started here or by somebody else.
//!
//! The mock listens where the file says, because a back end that runs already must have been told; one that is
//! started here is told. Time is real and settings are what the file says they are.

mod auth;
mod fill;
mod group;
mod links;
mod log;
mod running;
mod seed;
mod start;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs as _},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use serde_json::Value;

use super::default_settings;
use crate::{Scenario, expr::Settings, nest};
pub(crate) use auth::Visitor;
pub use auth::{Auth, AuthCall, Calls, Jwt};
pub(crate) use fill::Words;
pub(crate) use links::Ends;
pub use links::{Links, Via};
pub(crate) use seed::Place;
pub use seed::{Seed, Wanted};
pub use start::Start;
pub(crate) use start::{Process, WROTE_LAST};

/// Which protocol the back end speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Kind {
    /// The WebSocket chat of `/ws/chat`: `{"content"}` in; `message`, `calendar`, `error`, `done` out.
    #[serde(rename = "chat-v0")]
    ChatV0,
    /// Chat completions as OpenAI's API has them, over HTTP: a gateway, a proxy, a back end.
    #[serde(rename = "openai")]
    OpenAi,
}

/// Where users get in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entrance {
    pub(crate) auth: Auth,
    pub(crate) chat: Chat,
    /// What requests name as their host, where that is not the address.
    pub(crate) host: Option<String>,
}

/// The chat behind the entrance.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Chat {
    /// A WebSocket at this path; `{token}` in it stands for the token.
    Socket(String),
    /// Chat completions.
    Completions(Completions),
}

/// How chat completions are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Completions {
    pub(crate) path: String,
    pub(crate) model: String,
    /// Whether answers come piece by piece; if not, each is one JSON object.
    pub(crate) stream: bool,
}

impl Entrance {
    /// Returns that of the reference server.
    pub(crate) fn reference() -> Self {
        Self { auth: Auth::reference(), chat: Chat::Socket(CHAT_V0.to_owned()), host: None }
    }
}

/// The port that a host's name does without.
const HTTP: &str = "80";
/// Path of the chat in the v0 protocol.
const CHAT_V0: &str = "/ws/chat";
/// What scenarios about chat completions need.
const COMPLETIONS_NEED: &str = "completions";
/// The same of answers that come piece by piece.
const STREAMING_NEED: &str = "streaming";
/// The same of answers that come as one JSON object.
const WHOLE_NEED: &str = "whole-answers";
/// Path of chat completions.
const COMPLETIONS: &str = "/v1/chat/completions";
/// The model that is asked for, unless the file names another.
const MODEL: &str = "deepseek-flash";

/// A target file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetFile {
    /// Version of the format: 1.
    pub schema: u32,
    /// Shown in reports.
    pub name: String,
    /// The protocol.
    pub kind: Kind,
    /// `http://host:port` of the back end; with port 0 one that is started here gets any free one.
    pub url: String,
    /// Where the mock listens; the back end's model URL must point here. A back end that is started here can be told
    /// any port: then it may be left out.
    #[serde(default = "any_port")]
    pub llm: SocketAddr,
    /// The path of the chat, if it is not the usual one; `{token}` in it stands for the user's token.
    pub chat: Option<String>,
    /// The model that clients ask for, of the kind `openai`.
    pub model: Option<String>,
    /// Whether clients ask for a stream, of the kind `openai`; they do unless this says no.
    pub stream: Option<bool>,
    /// How users prove who they are; if it is not said, as the reference server wants it, and not at all for the kind
    /// `openai`.
    pub auth: Option<Auth>,
    /// How to start it; it runs already if this is not said.
    pub start: Option<Start>,
    /// How users are made in number before a load.
    pub seed: Option<Seed>,
    /// Lines of it that go through gauntlet, which can then cut, stall and delay them.
    #[serde(default)]
    pub links: Links,
    /// What it can do beyond the chat.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// What the network and the machine may add to every time limit.
    #[serde(default = "half_a_second", with = "span")]
    pub slack: Duration,
    /// How much memory it may take in the course of one scenario, in MiB, where it is started here; 128 if it is not said.
    #[serde(default = "usual_growth")]
    pub memory_growth_mib: u64,
    /// Its settings by dotted name, where they differ from the defaults of the reference server.
    #[serde(default)]
    pub settings: toml::Table,
    /// The name that `url` has for its host, if it has one: what stands before many back ends tells them apart by it.
    #[serde(skip)]
    pub(crate) name_of_host: Option<String>,
    /// Where the file lies.
    #[serde(skip)]
    pub(crate) folder: PathBuf,
}

fn any_port() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

const fn half_a_second() -> Duration {
    Duration::from_millis(500)
}

const fn usual_growth() -> u64 {
    128
}

mod span {
    use std::time::Duration;

    use jiff::SignedDuration;
    use serde::{Deserialize, Deserializer, de::Error};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        let signed: SignedDuration = text.parse().map_err(D::Error::custom)?;
        signed.try_into().map_err(D::Error::custom)
    }
}

/// Looks up a variable of the environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A target file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// It cannot be read.
    #[error("cannot read target file `{path}`: {error}\n  hint: `gauntlet target init FILE` writes one")]
    Read {
        /// Its path.
        path: String,
        /// The reason.
        error: std::io::Error,
    },
    /// It is not valid.
    #[error("target file `{path}` is not valid\n{message}")]
    Invalid {
        /// Its path.
        path: String,
        /// What is wrong, with line and column.
        message: String,
    },
}

pub(super) fn load(path: &Path, environment: Environment<'_>) -> Result<TargetFile, TargetError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| TargetError::Read { path: path.display().to_string(), error })?;
    TargetFile::parse(path, &text, environment)
}

impl TargetFile {
    /// Reads a target file that lies, or might lie, at `path`. Secrets that it leaves to the environment are looked up
    /// there.
    pub fn parse(path: &Path, text: &str, environment: Environment<'_>) -> Result<Self, TargetError> {
        let invalid = |message: String| TargetError::Invalid { path: path.display().to_string(), message };
        let mut file: Self = toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
        file.folder = path.parent().map(Path::to_owned).unwrap_or_default();
        file.find();
        file.reveal(environment).map_err(invalid)?;
        file.check().map_err(invalid)?;
        file.settle().map_err(|error| TargetError::Read { path: path.display().to_string(), error })?;
        Ok(file)
    }

    /// Puts an address in the place of a host's name; `localhost` is the one of version 4. What cannot be found stays, and is
    /// told as no address.
    fn find(&mut self) {
        let Some(place) = self.url.strip_prefix("http://") else { return };
        if place.parse::<SocketAddr>().is_err() {
            self.name_of_host = place.rsplit_once(':').map(|(name, _)| name.to_owned());
        }
        let place = match place.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}"),
            None => place.to_owned(),
        };
        if let Some(address) = place.to_socket_addrs().ok().and_then(|mut all| all.next()) {
            self.url = format!("http://{address}");
        }
    }

    /// Chooses a free port where the file leaves it open.
    fn settle(&mut self) -> std::io::Result<()> {
        if let Some(host) = self.url.strip_suffix(":0") {
            let address = host.trim_start_matches("http://");
            let free = TcpListener::bind((address.trim_matches(['[', ']']), 0))?.local_addr()?;
            self.url = format!("{host}:{}", free.port());
        }
        Ok(())
    }

    /// Says what is wrong with it, in words that say what to write.
    fn check(&self) -> Result<(), String> {
        if self.schema != crate::parse::FORMAT {
            return Err(format!(
                "unknown format version `{}`; write `schema = {}`",
                self.schema,
                crate::parse::FORMAT
            ));
        }
        if let Some(word) =
            self.capabilities.iter().find(|word| !super::CAPABILITIES.contains(&word.as_str()))
        {
            return Err(format!("unknown capability `{word}`; there is: {}", super::CAPABILITIES.join(", ")));
        }
        let address = self.url.strip_prefix("http://").map(str::parse::<SocketAddr>);
        if !matches!(address, Some(Ok(_))) {
            let hint = "write `http://host:port`, with a host whose address can be found";
            return Err(format!("`url` is `{}`; {hint}", self.url));
        }
        if matches!(address, Some(Ok(address)) if address.port() == 0) && self.start.is_none() {
            return Err("`url` has port 0, any free one; only a back end that is started by `[start]` can be told which".to_owned());
        }
        if self.llm.port() == 0 && self.start.is_none() {
            return Err("`llm` is missing; write the `address:port` that your back end's model URL points at, or say in `[start]` how it is started".to_owned());
        }
        self.check_commands()?;
        let foreign = [("model", self.model.is_some()), ("stream", self.stream.is_some())];
        if self.kind == Kind::ChatV0
            && let Some((name, _)) = foreign.iter().find(|(_, is_given)| *is_given)
        {
            return Err(format!(
                "`{name}` is for the kind `openai`; leave it out, the back end of a `chat-v0` chooses it"
            ));
        }
        self.links.check(self.start.is_some())?;
        if let Some(Auth::Calls(Calls { register: None, login: None })) = self.auth {
            return Err(
                "`auth.calls` has no call; add `[auth.calls.login]` with `path` and `body`".to_owned()
            );
        }
        let known = default_settings();
        let named = Settings::flatten(&nest(&self.settings));
        if let Some(name) = named.0.keys().find(|name| !known.0.contains_key(*name)) {
            let hint =
                known.nearest(name).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(format!("unknown setting `{name}`{hint}"));
        }
        Ok(())
    }

    /// Says what is wrong with the commands in it.
    fn check_commands(&self) -> Result<(), String> {
        let seed = self.seed.as_ref().map_or(&[][..], |seed| &seed.command);
        let Some(start) = &self.start else {
            let is_ours = seed.iter().any(|word| word.contains("{scratch}"));
            let hint = "is a folder of a back end that is started by `[start]`; name one of your own";
            return if is_ours { Err(format!("`{{scratch}}` in `seed.command` {hint}")) } else { Ok(()) };
        };
        if start.command.is_empty() {
            return Err("`start.command` is empty; write `[\"program\", \"argument\"]`".to_owned());
        }
        if start.setting.as_ref().is_some_and(|it| !it.to_lowercase().contains("{setting}")) {
            let hint = "write `APP_{SETTING}`";
            return Err(format!("`start.setting` does not say where the name of a setting stands; {hint}"));
        }
        Ok(())
    }

    /// Puts secrets of the environment in the place of `{env.NAME}`: a file is no place for them.
    fn reveal(&mut self, environment: Environment<'_>) -> Result<(), String> {
        let secret = match &mut self.auth {
            Some(Auth::Token(token)) => token,
            Some(Auth::Jwt(jwt)) => &mut jwt.secret,
            _ => return Ok(()),
        };
        let Some(name) = secret.strip_prefix("{env.").and_then(|rest| rest.strip_suffix('}')) else {
            return Ok(());
        };
        let hint = format!("the environment has no `{name}`; set it to the secret of your back end");
        *secret = environment(name).ok_or(hint)?;
        Ok(())
    }

    pub(crate) fn can(&self, need: &str) -> bool {
        match need {
            "process" | "log" => self.start.is_some(),
            "settings" => self.takes_settings(),
            "database-link" => self.links.database.is_some(),
            "llm-link" => self.links.llm.is_some(),
            "redis-link" => self.links.redis.is_some(),
            COMPLETIONS_NEED => self.kind == Kind::OpenAi,
            STREAMING_NEED => self.kind == Kind::OpenAi && self.streams(),
            WHOLE_NEED => self.kind == Kind::OpenAi && !self.streams(),
            need => self.capabilities.iter().any(|word| word == need),
        }
    }

    fn streams(&self) -> bool {
        self.stream.unwrap_or(true)
    }

    /// Returns whether it can be started with settings of a scenario's choice.
    pub(crate) fn takes_settings(&self) -> bool {
        self.start.as_ref().is_some_and(|start| start.setting.is_some())
    }

    /// Returns where a command of the file runs, for a back end that runs already. `llm` is the URL of the model.
    pub(crate) fn place(&self, llm: &str) -> Place {
        let words = fill::words(self, &self.links.straight(llm));
        Place { words, environment: Vec::new(), folder: fill::here(&self.folder).to_owned() }
    }

    /// Returns where its users get in.
    pub(crate) fn entrance(&self) -> Entrance {
        let path = |usual: &str| self.chat.clone().unwrap_or_else(|| usual.to_owned());
        let (auth, chat) = match self.kind {
            Kind::ChatV0 => (Auth::reference(), Chat::Socket(path(CHAT_V0))),
            Kind::OpenAi => {
                let model = self.model.clone().unwrap_or_else(|| MODEL.to_owned());
                let asked = Completions { path: path(COMPLETIONS), model, stream: self.streams() };
                (Auth::None, Chat::Completions(asked))
            }
        };
        Entrance { auth: self.auth.clone().unwrap_or(auth), chat, host: self.host() }
    }

    /// Returns where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        // The file was checked when it was read.
        self.url.trim_start_matches("http://").parse().unwrap_or(nowhere)
    }

    /// Returns what requests name as their host, where `url` has a name and no address.
    pub(crate) fn host(&self) -> Option<String> {
        let (name, (_, port)) = (self.name_of_host.as_ref()?, self.url.rsplit_once(':')?);
        Some(if port == HTTP { name.clone() } else { format!("{name}:{port}") })
    }

    /// Returns all settings: the defaults, and what the file says.
    pub fn settings(&self) -> Settings {
        let mut settings = default_settings();
        settings.0.extend(Settings::flatten(&nest(&self.settings)).0);
        settings
    }

    /// Returns why a scenario cannot be run on this target, if it cannot.
    pub(crate) fn lacks(&self, scenario: &Scenario) -> Option<String> {
        let file = &scenario.tables;
        let has_one_user = self.kind == Kind::ChatV0 && !self.entrance().auth.tells_users_apart();
        if file.users.len() > 1 && has_one_user {
            return Some("target has one user, because all come with the same token".to_owned());
        }
        if let Some(need) = file.needs.iter().find(|need| !self.can(need)) {
            return Some(format!("target cannot do `{need}`"));
        }
        if self.kind == Kind::OpenAi && !file.needs.iter().any(|need| need == COMPLETIONS_NEED) {
            return Some("target speaks chat completions, scenario is about a chat with memory".to_owned());
        }
        let have = self.settings();
        let missing = self.chosen(scenario).0.into_iter().find(|_| !self.takes_settings());
        missing.map(|(name, value)| {
            let found = have.0.get(&name).unwrap_or(&Value::Null);
            format!("needs `{name}` = {value}, target has {found}")
        })
    }

    /// Returns the settings of a scenario that are not those of the target.
    pub(crate) fn chosen(&self, scenario: &Scenario) -> Settings {
        let have = self.settings();
        let mut wanted = Settings::flatten(&nest(&scenario.tables.settings));
        wanted.0.retain(|name, value| have.0.get(name) != Some(value));
        wanted
    }
}

#[cfg(test)]
mod tests;
