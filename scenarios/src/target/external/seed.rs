//! Making users in number before a load: a command of the target file prints a token for each.

use std::{path::PathBuf, process::Stdio, time::Duration};

use clock::{SystemClock, timeout};
use serde::Deserialize;
use tokio::process::Command;

use super::{fill::Words, group::Doomed, span};

/// So much of what a command says is shown with an error, in characters from its end.
const SAID_MAX: usize = 600;

/// How users are made before a load; without it each signs in as `auth` says, with nothing behind them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// The program and its arguments; beside the words of `start.command` they may hold `{users}`, `{messages}` and
    /// `{facts}`: how many users are wanted, and how many messages and facts each must have. It runs before the target is
    /// started, with the environment of that, and prints a token in each line.
    pub command: Vec<String>,
    /// How long it may take.
    #[serde(default = "ten_minutes", with = "span")]
    pub within: Duration,
}

const fn ten_minutes() -> Duration {
    Duration::from_mins(10)
}

/// The users that a load wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// How many.
    pub users: usize,
    /// Messages that each has behind it.
    pub messages: u64,
    /// Facts that are known about each.
    pub facts: u64,
}

/// Where a command of a target file is run, and with what.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) words: Words,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) folder: PathBuf,
}

impl Seed {
    /// Says whether this can make such users, in words that say what to write.
    pub(crate) fn fits(&self, wanted: Wanted) -> Result<(), String> {
        let holds = |word: &str| self.command.iter().any(|argument| argument.contains(word));
        let asked = [("{users}", true), ("{messages}", wanted.messages > 0), ("{facts}", wanted.facts > 0)];
        match asked.into_iter().find(|(word, is_asked)| *is_asked && !holds(word)) {
            Some((word, _)) => Err(format!("`seed.command` holds no `{word}`, which the load needs")),
            None => Ok(()),
        }
    }

    /// Makes the users and returns their tokens. When the future is dropped, the command is killed with all that it has
    /// started.
    pub(crate) async fn tokens(&self, place: Place, wanted: Wanted) -> Result<Vec<String>, String> {
        let words = place.words.and([
            ("users", wanted.users.to_string()),
            ("messages", wanted.messages.to_string()),
            ("facts", wanted.facts.to_string()),
        ]);
        let mut command = self.command.iter().map(|word| words.fill(word));
        let program = command.next().ok_or("`seed.command` names no program")?;
        let cannot = |error: std::io::Error| format!("cannot run `{program}` of `seed.command`: {error}");
        let child = Command::new(&program)
            .args(command)
            .envs(place.environment)
            .current_dir(place.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(cannot)?;
        let mut group = Doomed::led_by(&child);
        let output = timeout(&SystemClock::new(), self.within, child.wait_with_output())
            .await
            .map_err(|_| format!("`seed.command` did not end within {:?}", self.within))?
            .map_err(cannot)?;
        group.spare();
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(format!(
                "`seed.command` ended with {}; it wrote last\n    {}",
                output.status,
                end(&said)
            ));
        }
        let printed = String::from_utf8_lossy(&output.stdout);
        let tokens: Vec<_> =
            printed.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        if tokens.len() != wanted.users {
            let (had, users) = (tokens.len(), wanted.users);
            return Err(format!("`seed.command` printed {had} tokens, {users} users are wanted"));
        }
        Ok(tokens)
    }
}

/// Returns the end of what was said.
fn end(said: &str) -> &str {
    let said = said.trim_end();
    let from = said.char_indices().rev().nth(SAID_MAX).map_or(0, |(at, _)| at);
    &said[from..]
}

#[cfg(test)]
mod tests {
    use clock::Clock as _;

    use super::*;

    fn shell(script: &str) -> Seed {
        let command = ["sh", "-c", script].map(str::to_owned).into();
        Seed { command, within: Duration::from_secs(20) }
    }

    async fn tokens(script: &str, users: usize) -> Result<Vec<String>, String> {
        let place = Place {
            words: Words::from([("url", "http://here".to_owned())]),
            environment: vec![("SECRET".to_owned(), "s3".to_owned())],
            folder: ".".into(),
        };
        shell(script).tokens(place, Wanted { users, messages: 4, facts: 2 }).await
    }

    #[tokio::test]
    async fn each_line_is_a_token_and_all_words_are_filled_l3() {
        let told = tokens("echo \"$SECRET {url}\"; echo; echo {users} {messages} {facts}", 2).await;

        assert_eq!(told.unwrap(), ["s3 http://here", "2 4 2"]);
    }

    #[tokio::test]
    async fn a_seed_that_fails_or_makes_too_few_is_told_with_its_words_l3() {
        let failed = tokens("echo no database >&2; exit 3", 1).await.unwrap_err();
        let few = tokens("echo one", 2).await.unwrap_err();

        assert!(failed.contains("exit status: 3") && failed.ends_with("no database"), "{failed}");
        assert_eq!(few, "`seed.command` printed 1 tokens, 2 users are wanted");
    }

    #[tokio::test]
    async fn a_seed_that_takes_too_long_is_killed_with_all_that_it_started_l3() {
        let folder = tempfile::tempdir().unwrap();
        let number = folder.path().join("number");
        let script = format!("sleep 1000 & echo $! > {}; wait", number.display());
        let seed = Seed { within: Duration::from_secs(5), ..shell(&script) };
        let place = Place { words: Words::from([]), environment: Vec::new(), folder: ".".into() };

        let late = seed.tokens(place, Wanted::default()).await.unwrap_err();

        assert_eq!(late, "`seed.command` did not end within 5s");
        let id = std::fs::read_to_string(number).unwrap();
        // Whoever adopts it may leave it a zombie.
        let stat = || std::fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
        let has_ended = async {
            while !stat().is_empty() && !stat().contains(") Z ") {
                SystemClock::new().sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(timeout(&SystemClock::new(), Duration::from_secs(20), has_ended).await.is_ok(), "{}", stat());
    }

    #[test]
    fn what_a_load_needs_the_command_must_be_able_to_say_l3() {
        let wanted = Wanted { users: 1, messages: 0, facts: 3 };

        assert_eq!(shell("{users} {facts}").fits(wanted), Ok(()));
        assert!(shell("{users}").fits(wanted).unwrap_err().contains("`{facts}`"));
    }
}
