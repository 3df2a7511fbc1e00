//! A server started as a child process, on a core of its own.
//!
//! Invariant: the child is killed by its id and waited for when its handle is dropped, on whatever way.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use clock::{Clock, timeout};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{ChildStdin, ChildStdout},
};

use crate::machine::{self, Cores};

/// So long may a child take to say where it listens.
const START_MAX: Duration = Duration::from_secs(20);
/// Of what a child complained about, so many bytes are shown.
const SHOWN_MAX: u64 = 4000;

/// A running child that serves.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    child: Child,
    /// Kept open: the child's output must not fail, and the floor ends with its input.
    _pipes: (Option<ChildStdin>, BufReader<ChildStdout>),
}

/// A child did not begin to serve.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// It could not be started.
    #[error("cannot start {name}: {source}")]
    Start {
        /// Which child.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// It did not say where it listens.
    #[error("{name} did not begin to serve{}", quote(.said))]
    Silent {
        /// Which child.
        name: String,
        /// What it wrote on standard error.
        said: String,
    },
}

fn quote(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!("; it said:\n{said}") }
}

/// Kills a child unless it is handed on.
struct Guard(Option<Child>);

impl Served {
    /// Starts a command whose first line of output ends with its URL. `input` goes to its standard input,
    /// which then stays open.
    pub(crate) async fn start(
        name: &str,
        mut command: Command,
        input: Option<&[u8]>,
        place: (&dyn Clock, Option<Cores>),
    ) -> Result<Self, ChildError> {
        let failed = |source| ChildError::Start { name: name.to_owned(), source };
        let mut complaints = tempfile::tempfile().map_err(failed)?;
        command
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(complaints.try_clone().map_err(failed)?);
        let mut guard = Guard(Some(spawn(&mut command, place.1).map_err(failed)?));
        let served = talk(&mut guard, input);
        let answered =
            timeout(place.0, START_MAX, served).await.unwrap_or_else(|_| Ok(None)).map_err(failed)?;
        match (answered, guard.0.take()) {
            (Some((address, pipes)), Some(child)) => Ok(Self { address, child, _pipes: pipes }),
            (_, child) => {
                drop(Guard(child));
                Err(ChildError::Silent { name: name.to_owned(), said: read(&mut complaints) })
            }
        }
    }

    /// Returns the id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            end(child);
        }
    }
}

/// Kills and waits; a child that is gone already is no failure.
fn end(child: &mut Child) {
    _ = child.kill();
    _ = child.wait();
}

/// Starts on the target's core: a child inherits the core of the thread that starts it.
fn spawn(command: &mut Command, cores: Option<Cores>) -> io::Result<Child> {
    let Some(cores) = cores else { return command.spawn() };
    machine::bind(cores.target);
    let child = command.spawn();
    machine::bind(cores.client);
    child
}

type Pipes = (Option<ChildStdin>, BufReader<ChildStdout>);

/// Hands the input over and reads where the child listens.
async fn talk(guard: &mut Guard, input: Option<&[u8]>) -> io::Result<Option<(SocketAddr, Pipes)>> {
    let Some(child) = &mut guard.0 else { return Ok(None) };
    let stdin = child.stdin.take().map(ChildStdin::from_std).transpose()?;
    let Some(stdout) = child.stdout.take() else { return Ok(None) };
    let mut stdout = BufReader::new(ChildStdout::from_std(stdout)?);
    let stdin = match (stdin, input) {
        // A child that ends at once closes its input; what it says on standard error tells more.
        (Some(mut stdin), Some(input)) => stdin.write_all(input).await.is_ok().then_some(stdin),
        (stdin, _) => stdin,
    };
    let mut line = String::new();
    stdout.read_line(&mut line).await?;
    let address = line.trim_end().rsplit_once("http://").and_then(|(_, address)| address.parse().ok());
    Ok(address.map(|address| (address, (stdin, stdout))))
}

fn read(file: &mut File) -> String {
    let mut text = Vec::new();
    _ = file.rewind().and_then(|()| file.take(SHOWN_MAX).read_to_end(&mut text));
    String::from_utf8_lossy(&text).trim_end().to_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use clock::SystemClock;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn is_running(id: u32) -> bool {
        std::path::Path::new(&format!("/proc/{id}/stat")).exists()
    }

    #[tokio::test]
    async fn a_child_says_where_it_listens_and_ends_with_its_handle() {
        let clock = SystemClock::new();
        let command = shell("read _; echo it listens on http://127.0.0.1:4010; read _");

        let served = Served::start("it", command, Some(b"x\n"), (&clock, None)).await.unwrap();

        let id = served.id();
        assert_eq!(served.address.port(), 4010);
        assert!(is_running(id));
        drop(served);
        assert!(!is_running(id));
    }

    #[tokio::test]
    async fn a_child_that_fails_is_quoted() {
        let clock = SystemClock::new();

        let error =
            Served::start("it", shell("echo no such file >&2"), None, (&clock, None)).await.unwrap_err();

        assert_eq!(error.to_string(), "it did not begin to serve; it said:\nno such file");
    }
}
