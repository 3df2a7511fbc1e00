//! Starting somebody's back end, and stopping it with all that it started.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use clock::{Clock as _, SystemClock};
use rustix::process::{Pid, Signal};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{process::Command, task::JoinSet};

use super::{
    TargetFile,
    fill::{self, Words},
    group,
    links::Ends,
    log::Log,
    running::{self, Afar, LOOK_EVERY, Running},
    seed::Place,
    span,
};
use crate::{
    expr::Settings,
    rest::{Request, Rest},
    world::World,
};

/// What stands between a problem and its last lines.
pub(crate) const WROTE_LAST: &str = "; it wrote last";
/// So many of them are shown with an error.
const LOG_LINES_SHOWN: usize = 10;
/// Whoever looks at its health comes from an address of their own: limits by address must not count it as a user.
const CARER: usize = 199;
/// So long it may take to end in order between scenarios; then it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// The same where a scenario asks it to: what an orchestrator gives by default (Kubernetes,
/// `terminationGracePeriodSeconds`).
const ORDERLY_GRACE: Duration = Duration::from_secs(30);

/// How to start a back end.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The program and its arguments; they may hold `{llm}` (the URL of the mock), `{url}`, `{address}`, `{port}`,
    /// `{database}` and `{redis}` (where their lines of `[links]` begin), `{scratch}`, an empty folder that is gone after the run,
    /// `{folder}`, that of this file, and `{gauntlet}`, the program that reads it.
    pub command: Vec<String>,
    /// Its environment beside what gauntlet itself has; values may hold the same words.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The variable of the environment that carries one setting, such as `GAUNTLET__{SETTING}`: `llm.gap` is put in the
    /// place of `{setting}`, `LLM__GAP` in that of `{SETTING}`. A list is written with commas. With it, scenarios may
    /// choose settings: the back end is started anew with them.
    pub setting: Option<String>,
    /// The command that kills it, where a signal to `command` does not reach it, as in a container; it may hold the
    /// same words.
    #[serde(default)]
    pub kill: Vec<String>,
    /// The same that makes it stand still.
    #[serde(default)]
    pub pause: Vec<String>,
    /// The same that lets it go on.
    #[serde(default)]
    pub resume: Vec<String>,
    /// Where it is started, as seen from the target file.
    #[serde(default)]
    pub folder: PathBuf,
    /// The path that answers with a status below 400 when it is ready.
    #[serde(default = "root")]
    pub health: String,
    /// How long it may take until then.
    #[serde(default = "half_a_minute", with = "span")]
    pub within: Duration,
}

fn root() -> String {
    "/".to_owned()
}

const fn half_a_minute() -> Duration {
    Duration::from_secs(30)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

impl Start {
    /// Returns the variables that carry these settings.
    fn variables(&self, settings: &Settings) -> Vec<(String, String)> {
        let Some(pattern) = &self.setting else { return Vec::new() };
        let name = |setting: &str| {
            let loud = setting.to_uppercase().replace('.', "__");
            Words::from([("setting", setting.to_owned()), ("SETTING", loud)]).fill(pattern)
        };
        let text = |value: &Value| match value {
            Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
            other => plain(other),
        };
        settings.0.iter().map(|(setting, value)| (name(setting), text(value))).collect()
    }
}

/// A back end that was started here. Dropping it kills it with all that it started.
#[derive(Debug)]
pub(crate) struct Process {
    start: Start,
    words: Words,
    folder: PathBuf,
    url: String,
    address: SocketAddr,
    host: Option<String>,
    /// Locked while its end is waited for, so that whoever gives up waiting leaves it here.
    running: tokio::sync::Mutex<Option<Running>>,
    /// What it was started with last beyond its own settings.
    chosen: Mutex<Settings>,
    log: Log,
    /// What it has done wrong as a process, and nobody was told yet.
    blame: Mutex<Vec<String>>,
    _scratch: TempDir,
}

impl Process {
    /// Prepares what the file says, and starts nothing yet.
    pub(crate) fn new(file: &TargetFile, start: &Start, ends: &Ends) -> Result<Self, String> {
        let scratch =
            TempDir::new().map_err(|error| format!("cannot make a folder for the target: {error}"))?;
        let words = fill::words(file, ends).and([("scratch", scratch.path().display().to_string())]);
        let folder = file.folder.join(&start.folder);
        Ok(Self {
            start: start.clone(),
            words,
            folder,
            url: file.url.clone(),
            address: file.address(),
            host: file.host(),
            running: tokio::sync::Mutex::default(),
            chosen: Mutex::default(),
            log: Log::default(),
            blame: Mutex::default(),
            _scratch: scratch,
        })
    }

    /// Returns where another command of its file runs, as this one would with these settings beyond its own.
    pub(crate) fn place(&self, chosen: &Settings) -> Place {
        let own = self.start.env.iter().map(|(name, value)| (name.clone(), self.words.fill(value)));
        let environment = own.chain(self.start.variables(chosen)).collect();
        Place { words: self.words.clone(), environment, folder: fill::here(&self.folder).to_owned() }
    }

    /// Sees to it that it runs with these settings beyond its own: it is started anew if they have changed.
    pub(crate) async fn run_with(&self, chosen: Settings) -> Result<(), String> {
        let has_ended = self.note_death().await;
        if !has_ended && self.running.lock().await.is_some() && *self.chosen() == chosen {
            return Ok(());
        }
        self.stop().await;
        *self.chosen() = chosen;
        self.start().await
    }

    /// Starts it again in the course of a scenario: that it does not come up is its own fault.
    pub(crate) async fn start_again(&self) -> Result<(), String> {
        self.note_death().await;
        let started = self.start().await;
        if let Err(error) = &started {
            self.note(format!("it does not start again: {error}"));
        }
        started
    }

    /// Asks it to end in the course of a scenario: that it has to be killed is its own fault.
    pub(crate) async fn stop_in_order(&self) {
        if !self.end_within(ORDERLY_GRACE).await {
            self.note(format!(
                "it did not end within {ORDERLY_GRACE:?} when it was asked to, and was killed"
            ));
        }
    }

    /// Starts it and waits until it is ready.
    pub(crate) async fn start(&self) -> Result<(), String> {
        let running = self.spawn()?;
        *self.running.lock().await = Some(running);
        let (rest, clock) =
            (Rest::new(&self.url, self.host.as_deref(), World::address(CARER))?, SystemClock::new());
        let mut last = "no answer".to_owned();
        while clock.now().since_origin() < self.start.within {
            if let Some(status) = self.ended().await {
                self.gone(GRACE).await;
                return Err(self.told(&format!("the target ended before it was ready, with {status}")));
            }
            match rest.call(Request { path: self.start.health.clone(), ..Request::default() }).await {
                Ok(answer) if answer.status < 400 => return Ok(()),
                Ok(answer) => last = format!("status {}", answer.status),
                Err(error) => last = error,
            }
            clock.sleep(LOOK_EVERY).await;
        }
        let Start { health, within, .. } = &self.start;
        Err(self.told(&format!("the target is not ready after {within:?}: `GET {health}` gives {last}")))
    }

    fn spawn(&self) -> Result<Running, String> {
        let mut command = self.start.command.iter().map(|word| self.words.fill(word));
        let program = command.next().ok_or("`start.command` names no program")?;
        let (folder, place) = (fill::here(&self.folder), self.place(&self.chosen()));
        let cannot = |error: String| format!("cannot start `{program}` in `{}`: {error}", folder.display());
        let mut child = Command::new(&program)
            .args(command)
            .envs(place.environment)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| cannot(error.to_string()))?;
        let mut readers = JoinSet::new();
        readers.spawn(self.log.clone().follow(child.stdout.take()));
        readers.spawn(self.log.clone().follow(child.stderr.take()));
        let kill = self.filled(&self.start.kill);
        let afar = (!kill.is_empty()).then_some(Afar { kill, address: self.address });
        Running::new(child, readers, afar).ok_or_else(|| cannot("it has no id".to_owned()))
    }

    fn chosen(&self) -> MutexGuard<'_, Settings> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what it has done wrong as a process since somebody asked last: the first of it.
    pub(crate) async fn blame(&self) -> Option<String> {
        self.note_death().await;
        std::mem::take(&mut *self.blamed()).into_iter().next()
    }

    /// Notes that it has ended by itself, if it has; says whether it has ended.
    async fn note_death(&self) -> bool {
        let Some(status) = self.ended().await else { return false };
        // Its log may name secrets; where it is shown they are taken out.
        self.note(format!("it ended with {status}"));
        self.gone(GRACE).await;
        true
    }

    fn note(&self, fault: String) {
        self.blamed().push(fault);
    }

    fn blamed(&self) -> MutexGuard<'_, Vec<String>> {
        self.blame.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns its id while it runs.
    pub(crate) async fn id(&self) -> Option<u32> {
        self.running.lock().await.as_ref()?.id()
    }

    /// Returns how it ended, if it has and nobody here wanted it to.
    pub(crate) async fn ended(&self) -> Option<ExitStatus> {
        self.running.lock().await.as_mut()?.ended()
    }

    /// Returns how many lines it has written.
    pub(crate) fn lines_written(&self) -> usize {
        self.log.written()
    }

    /// Returns the last lines that it wrote after so many.
    pub(crate) fn log_since(&self, written: usize) -> Vec<String> {
        self.log.since(written)
    }

    /// Begins to measure its memory: the peak from now on is what [`Self::memory`] tells.
    pub(crate) async fn watch_memory(&self) -> Option<u64> {
        group::begin(self.group().await?)
    }

    /// Returns the most memory that it held since, in bytes: the sum of the peaks of its processes. Nothing where the
    /// system does not tell, or where what was started here is a client of what runs elsewhere.
    pub(crate) async fn memory(&self) -> Option<u64> {
        group::peak(self.group().await?)
    }

    async fn group(&self) -> Option<Pid> {
        let running = self.running.lock().await;
        running.as_ref().filter(|_| self.start.kill.is_empty()).map(Running::group)
    }

    /// Returns the panics that it wrote of after so many lines.
    pub(crate) fn panics_since(&self, written: usize) -> Vec<String> {
        self.log.panics_since(written)
    }

    /// Adds its last lines to a problem.
    pub(crate) fn told(&self, problem: &str) -> String {
        let last = self.log.since(self.log.written().saturating_sub(LOG_LINES_SHOWN));
        if last.is_empty() {
            format!("{problem}; it wrote nothing")
        } else {
            format!("{problem}{WROTE_LAST}\n    {}", last.join("\n    "))
        }
    }

    /// Makes it stand still, with all that it started.
    pub(crate) async fn pause(&self) -> Result<(), String> {
        self.reach(&self.start.pause, Signal::STOP).await
    }

    /// Lets it go on.
    pub(crate) async fn resume(&self) -> Result<(), String> {
        self.reach(&self.start.resume, Signal::CONT).await
    }

    /// Kills it, and waits until it is gone.
    pub(crate) async fn kill(&self) -> Result<(), String> {
        self.note_death().await;
        self.reach(&self.start.kill, Signal::KILL).await?;
        self.gone(GRACE).await;
        Ok(())
    }

    /// Asks it to end, and kills it when it does not.
    pub(crate) async fn stop(&self) {
        self.end_within(GRACE).await;
    }

    /// Asks it to end, and kills it when it does not do so in this time; says whether that was not needed.
    async fn end_within(&self, grace: Duration) -> bool {
        self.note_death().await;
        self.signal(Signal::TERM).await;
        self.gone(grace).await
    }

    /// Returns the words of a command of the target file.
    fn filled(&self, words: &[String]) -> Vec<String> {
        words.iter().map(|word| self.words.fill(word)).collect()
    }

    /// Runs a command of the target file, or sends a signal if it names none.
    async fn reach(&self, words: &[String], signal: Signal) -> Result<(), String> {
        if words.is_empty() {
            self.signal(signal).await;
            return Ok(());
        }
        running::run(&self.filled(words)).await
    }

    /// Waits until it has ended, and what it wrote has been read; what has not ended by then is killed. Says whether that
    /// was not needed.
    async fn gone(&self, grace: Duration) -> bool {
        let mut kept = self.running.lock().await;
        let Some(running) = kept.as_mut() else { return true };
        let in_order = running.end(grace).await;
        *kept = None;
        in_order
    }

    async fn signal(&self, signal: Signal) {
        if let Some(running) = &*self.running.lock().await {
            running.signal(signal);
        }
    }
}
