//! Watches the file of the script, and plays each new version that is valid.
//!
//! The file is looked at again and again, which works on every file system and with every editor. A
//! version counts only when two looks in a row agree, so that a file that is half written is never
//! played. Invariant: a version that is wrong changes nothing but the status and the log.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    script::{SCRIPT_MAX, Script, ScriptError},
    shared::Shared,
};

/// How often the file is looked at; a new version is played after two looks at most.
pub const RELOAD_EVERY: Duration = Duration::from_millis(250);

/// The script file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScriptFileError {
    /// It cannot be read.
    #[error("script `{}` cannot be read: {source}", path.display())]
    Unreadable {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is wrong.
    #[error("`{}`: {source}", path.display())]
    Wrong {
        /// Where it is.
        path: PathBuf,
        /// What is wrong, with the place.
        source: Box<ScriptError>,
    },
}

/// A file, and the version of it that was last judged.
#[derive(Debug)]
pub(crate) struct Watched {
    path: PathBuf,
    /// What was seen at the last look, good or bad.
    seen: Seen,
    /// What the version that was last judged looked like.
    judged: Seen,
}

/// How a file looks from outside and inside.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    modified: Option<SystemTime>,
    length: u64,
    /// The text itself, of which the bound is small; `Err` in words.
    text: Result<String, String>,
}

impl Watched {
    /// Reads the file for the first time: a wrong one is an error.
    pub(crate) fn open(path: &Path) -> Result<(Self, Script), ScriptFileError> {
        let unreadable = |source| ScriptFileError::Unreadable { path: path.to_owned(), source };
        let text = read(path).map_err(unreadable)?;
        let script = Script::from_toml(&text)
            .map_err(|error| ScriptFileError::Wrong { path: path.to_owned(), source: Box::new(error) })?;
        let seen = Seen { modified: None, length: 0, text: Ok(text) };
        Ok((Self { path: path.to_owned(), seen: seen.clone(), judged: seen }, script))
    }

    /// Returns the text of the version that was last judged.
    pub(crate) fn text(&self) -> Option<&str> {
        self.judged.text.as_deref().ok()
    }

    /// Returns where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Looks again; returns the text of a version that has not been judged yet and was seen alike twice.
    fn look(&mut self) -> Option<Result<String, String>> {
        let (modified, length) = outside(&self.path);
        let settled = (self.seen.modified, self.seen.length) == (modified, length) && modified.is_some();
        if settled && self.seen == self.judged {
            return None;
        }
        let seen = Seen { modified, length, text: read(&self.path).map_err(|error| error.to_string()) };
        let same = seen.text == self.seen.text;
        self.seen = seen;
        if !same {
            return None;
        }
        let news = self.seen.text != self.judged.text;
        self.judged = self.seen.clone();
        news.then(|| match &self.judged.text {
            Ok(text) => Ok(text.clone()),
            Err(error) => Err(format!("script `{}` cannot be read: {error}", self.path.display())),
        })
    }
}

/// Watches for as long as the mock runs.
pub(crate) async fn run(mut watched: Watched, shared: Arc<Shared>) {
    loop {
        shared.clock.sleep(RELOAD_EVERY).await;
        let Some(seen) = watched.look() else { continue };
        let file = watched.path.display();
        match seen.and_then(|text| shared.load_script(&text).map_err(|error| error.to_string())) {
            Ok(()) => tracing::info!(%file, "new script is played"),
            Err(problem) => {
                tracing::warn!(%file, %problem, "script goes on as it was: the new version is wrong");
                shared.stage.refuses(problem);
            }
        }
    }
}

fn outside(path: &Path) -> (Option<SystemTime>, u64) {
    match std::fs::metadata(path) {
        Ok(data) => (data.modified().ok(), data.len()),
        Err(_) => (None, 0),
    }
}

/// Reads the file, on the spot: it is small, and a thread would be work that no clock sees.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let limit = u64::try_from(SCRIPT_MAX).unwrap_or(u64::MAX);
    // One byte more, so that a script that is too long is seen as such.
    File::open(path)?.take(limit + 1).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests;
