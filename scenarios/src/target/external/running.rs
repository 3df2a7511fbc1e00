//! A back end under way: signals to it, its end, and what it wrote last.

use std::{
    net::SocketAddr,
    process::{Command as StdCommand, ExitStatus, Stdio},
    time::Duration,
};

use clock::{Clock as _, SystemClock, timeout};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    task::JoinSet,
};

use super::group;

/// Pause between two looks at how it is.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(50);
/// So long its last words may take.
const READ_OUT_MAX: Duration = Duration::from_secs(1);
/// So long the system may take to end what was killed.
const DEATH_MAX: Duration = Duration::from_secs(1);
/// The same of what is killed by a command: that may come back before it has done its work.
const DEATH_AFAR_MAX: Duration = Duration::from_secs(10);
/// So long a command may take that kills a target, makes it stand still or lets it go on.
const COMMAND_MAX: Duration = Duration::from_secs(10);

/// Dropping it kills it with all that it started.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    group: Pid,
    /// They read what it writes.
    readers: JoinSet<()>,
    afar: Option<Afar>,
}

/// How what no signal reaches is ended, and where it is seen that it has ended.
#[derive(Debug)]
pub(super) struct Afar {
    /// The command that kills it: a program and its arguments.
    pub(super) kill: Vec<String>,
    /// Where it listens.
    pub(super) address: SocketAddr,
}

impl Running {
    /// Takes over a child that leads a group of its own; `None` if it has ended already.
    pub(super) fn new(child: Child, readers: JoinSet<()>, afar: Option<Afar>) -> Option<Self> {
        let group = group::led_by(&child)?;
        Some(Self { child, group, readers, afar })
    }

    /// Returns its id while it runs.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Returns the group of all that it started and signals reach.
    pub(super) const fn group(&self) -> Pid {
        self.group
    }

    /// Returns how it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        // What cannot be asked has not ended as far as anybody knows.
        self.child.try_wait().unwrap_or_default()
    }

    pub(super) fn signal(&self, signal: Signal) {
        // A group that is gone needs no signal.
        let _ = kill_process_group(self.group, signal);
    }

    /// Waits until it has ended, and what it wrote has been read; what has not ended by then is killed. Says whether that
    /// was not needed.
    pub(super) async fn end(&mut self, grace: Duration) -> bool {
        let clock = SystemClock::new();
        let in_order = timeout(&clock, grace, self.all_ended()).await.is_ok();
        if !in_order {
            self.signal(Signal::KILL);
            let mut limit = DEATH_MAX;
            if let Some(Afar { kill, .. }) = &self.afar {
                // It fails where there is nothing left to be killed.
                let _ = run(kill).await;
                limit = DEATH_AFAR_MAX;
            }
            let _ = timeout(&clock, limit, self.all_ended()).await;
        }
        let all_read = async { while self.readers.join_next().await.is_some() {} };
        // Somebody that it started may hold its output open.
        let _ = timeout(&clock, READ_OUT_MAX, all_read).await;
        // Where it is reached by a name, its command would kill whoever is started there next.
        self.afar = None;
        in_order
    }

    /// Waits for its end, and for that of all that it started; of what no signal reaches, until nobody listens any more.
    async fn all_ended(&mut self) {
        let _ = self.child.wait().await;
        while group::is_alive(self.group) {
            SystemClock::new().sleep(LOOK_EVERY).await;
        }
        if let Some(Afar { address, .. }) = self.afar {
            while TcpStream::connect(address).await.is_ok() {
                SystemClock::new().sleep(LOOK_EVERY).await;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        if let Some(Afar { kill, .. }) = &self.afar
            && let Some(mut command) = command(kill)
        {
            let _ = command.status();
        }
    }
}

/// Runs a command to its end, [`COMMAND_MAX`] at most.
pub(super) async fn run(words: &[String]) -> Result<(), String> {
    let problem = match command(words).map(Command::from) {
        Some(mut command) => {
            let ended = timeout(&SystemClock::new(), COMMAND_MAX, command.kill_on_drop(true).status()).await;
            match ended {
                Ok(Ok(status)) if status.success() => return Ok(()),
                Ok(Ok(status)) => status.to_string(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("it did not end within {COMMAND_MAX:?}"),
            }
        }
        None => "it names no program".to_owned(),
    };
    Err(format!("`{}` failed: {problem}", words.join(" ")))
}

fn command(words: &[String]) -> Option<StdCommand> {
    let (program, arguments) = words.split_first()?;
    let mut command = StdCommand::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Some(command)
}
