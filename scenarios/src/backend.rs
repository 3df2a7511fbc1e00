//! A back end for others than scenarios: a load run starts it by its target file, signs its users in, and stops it.
//!
//! Its lines are not led through gauntlet here: what would stand in them would be measured with it.

use std::net::SocketAddr;

use clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::{
    TargetFile,
    expr::Settings,
    nest,
    rest::{Request, Rest},
    target::{Chat, Process, Visitor, Words},
    world::World,
};

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
    path: String,
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
    /// have the settings. `llm` is the URL of the model.
    ///
    /// When the future is dropped, the back end is killed.
    pub async fn start(file: &TargetFile, llm: &str, settings: &toml::Table) -> Result<Self, BackendError> {
        let Chat::Socket(path) = file.entrance().chat else {
            let hint = "has no WebSocket; users of a load need the kind `chat-v0`";
            return Err(BackendError::Unfit(format!("target `{}` {hint}", file.name)));
        };
        let chosen = chosen(file, settings).map_err(BackendError::Unfit)?;
        let address = file
            .url
            .trim_start_matches("http://")
            .parse()
            .map_err(|_| BackendError::Unfit(format!("`url` is `{}`, which is no address", file.url)))?;
        let rest = Rest::new(&file.url, World::address(0)).map_err(BackendError::Absent)?;
        let process = match &file.start {
            None => None,
            Some(start) => {
                let ends = file.links.straight(llm);
                let process = Process::new(file, start, &ends).map_err(BackendError::Absent)?;
                process.run_with(chosen).await.map_err(BackendError::Absent)?;
                Some(process)
            }
        };
        Ok(Self { file: file.clone(), process, rest, address, path })
    }

    /// Returns where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
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

    /// Signs a user in; makes the account if there is none.
    pub async fn sign_in(&self, user: &str) -> Result<Guest, String> {
        let visitor = Visitor { user, language: "en", now: SystemClock::new().wall() };
        let token = self.file.entrance().auth.sign_in(&self.rest, visitor).await?;
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
