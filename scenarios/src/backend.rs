//! A back end for others than scenarios: a load run starts it by its target file, signs its users in, and stops it.
//!
//! Its lines are not led through gauntlet here: what would stand in them would be measured with it.

use std::net::SocketAddr;

use clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::{
    TargetFile,
    expr::Settings,
    model::Protocol,
    nest,
    rest::{Request, Rest},
    target::{Chat, Entrance, Process, Visitor, Wanted, Words},
    world::World,
};

/// The capability of a target that speaks `chat.v1`.
const CHAT_V1: &str = "chat-v1";

/// A back end that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// What is asked of it does not go with what its file says of it.
    #[error("{0}")]
    Unfit(String),
    /// It did not start.
    #[error("{0}")]
    Absent(String),
}

/// A back end that runs. Dropping it kills what was started here.
#[derive(Debug)]
pub struct Backend {
    file: TargetFile,
    process: Option<Process>,
    rest: Rest,
    address: SocketAddr,
    host: String,
    path: String,
    /// Of the users that were made before it started.
    seeded: Vec<String>,
}

/// What a load wants of a back end.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// URL of the model.
    pub llm: &'a str,
    /// Settings beyond its own.
    pub settings: &'a toml::Table,
    /// Who will come.
    pub users: Wanted,
    /// What they speak.
    pub protocol: Protocol,
}

/// Somebody who got in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The token, where one is asked for.
    pub token: Option<String>,
    /// Path of the chat's WebSocket for this user.
    pub path: String,
}

impl Backend {
    /// Starts what the file says, with these settings beyond its own; one that runs already is taken as it is, and must
    /// have the settings. Users are made before, where the file says how.
    ///
    /// When the future is dropped, the back end is killed.
    pub async fn start(file: &TargetFile, wish: Wish<'_>) -> Result<Self, BackendError> {
        let Entrance { chat: Chat::Socket(path), host, .. } = file.entrance() else {
            let hint = "has no WebSocket; users of a load need the kind `chat-v0`";
            return Err(BackendError::Unfit(format!("target `{}` {hint}", file.name)));
        };
        let chosen = chosen(file, wish.settings).map_err(BackendError::Unfit)?;
        able(file, wish.users).map_err(BackendError::Unfit)?;
        speaks(file, wish.protocol).map_err(BackendError::Unfit)?;
        let rest = Rest::new(&file.url, host.as_deref(), World::address(0)).map_err(BackendError::Absent)?;
        let ends = file.links.straight(wish.llm);
        let process = file.start.as_ref().map(|start| Process::new(file, start, &ends)).transpose();
        let process = process.map_err(BackendError::Absent)?;
        let mut seeded = Vec::new();
        if let Some(seed) = &file.seed {
            let place =
                process.as_ref().map_or_else(|| file.place(wish.llm), |process| process.place(&chosen));
            seeded = seed.tokens(place, wish.users).await.map_err(BackendError::Absent)?;
        }
        if let Some(process) = &process {
            process.run_with(chosen).await.map_err(BackendError::Absent)?;
        }
        let address = file.address();
        let host = host.unwrap_or_else(|| address.to_string());
        Ok(Self { file: file.clone(), process, rest, address, host, path, seeded })
    }

    /// Returns where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what requests to it name as their host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the id of its process, where it was started here and signals reach it: a client that starts something
    /// elsewhere, such as `docker run`, is not the target.
    pub async fn process_id(&self) -> Option<u32> {
        if self.file.start.as_ref().is_some_and(|start| !start.kill.is_empty()) {
            return None;
        }
        self.process.as_ref()?.id().await
    }

    /// Says how it ended and what it wrote last, if it has ended although nobody wanted it to.
    pub async fn ended(&self) -> Option<String> {
        let process = self.process.as_ref()?;
        let status = process.ended().await?;
        Some(process.told(&format!("the target ended with {status}")))
    }

    /// Signs the `n`th user in: one who was made before, or else by this name; makes the account if there is none.
    pub async fn sign_in(&self, n: usize, user: &str) -> Result<Guest, String> {
        let visitor = Visitor { user, language: "en", now: SystemClock::new().wall() };
        let token = match self.seeded.get(n) {
            Some(token) => Some(token.clone()),
            None => self.file.entrance().auth.sign_in(&self.rest, visitor).await?,
        };
        let words = Words::from([("token", token.clone().unwrap_or_default())]);
        Ok(Guest { path: words.fill(&self.path), token })
    }

    /// Reads what lies at a path for a user: the status, and the body, which is null where it is no JSON.
    pub async fn get(&self, path: &str, guest: &Guest) -> Result<(u16, Value), String> {
        let request = Request { path: path.to_owned(), token: guest.token.clone(), ..Request::default() };
        self.rest.call(request).await.map(|answer| (answer.status, answer.body))
    }

    /// Asks what was started here to end, and kills it when it does not.
    pub async fn stop(&self) {
        if let Some(process) = &self.process {
            process.stop().await;
        }
    }
}

/// Says whether the target can have such users.
fn able(file: &TargetFile, wanted: Wanted) -> Result<(), String> {
    let hint = "hint: `[seed]` of its file names a command that makes users";
    let told = match &file.seed {
        Some(seed) => seed.fits(wanted),
        None if wanted.messages + wanted.facts > 0 => {
            Err("its users have nothing behind them, and the load wants them to".to_owned())
        }
        None => Ok(()),
    };
    told.map_err(|why| format!("target `{}`: {why}\n  {hint}", file.name))
}

/// Says whether the target speaks so.
fn speaks(file: &TargetFile, protocol: Protocol) -> Result<(), String> {
    if protocol == Protocol::V0 || file.can(CHAT_V1) {
        return Ok(());
    }
    let hint = format!("hint: add `{CHAT_V1}` to `capabilities` of its file if it does");
    Err(format!("target `{}` does not speak `chat.v1`, which the load wants\n  {hint}", file.name))
}

/// Returns the settings that the target has not yet; one that takes none must have them all.
fn chosen(file: &TargetFile, settings: &toml::Table) -> Result<Settings, String> {
    let have = file.settings();
    let mut wanted = Settings::flatten(&nest(settings));
    if let Some(name) = wanted.0.keys().find(|name| !have.0.contains_key(*name)) {
        let near = have.nearest(name).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(format!("unknown setting `{name}`{near}"));
    }
    wanted.0.retain(|name, value| have.0.get(name) != Some(value));
    if wanted.0.is_empty() || file.takes_settings() {
        return Ok(wanted);
    }
    let missing = wanted.0.iter().map(|(name, value)| {
        format!("\n    {name} = {value}   # it has {}", have.0.get(name).unwrap_or(&json!(null)))
    });
    let hint =
        "hint: start it so and say so in `[settings]` of its file, or let gauntlet set it by `start.setting`";
    let missing: String = missing.collect();
    Err(format!("target `{}` does not have what the load needs:{missing}\n  {hint}", file.name))
}
