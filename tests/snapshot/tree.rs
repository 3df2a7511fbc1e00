//! The files of this repository, for the tests that look at them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folders that hold nothing written by us; in a linked worktree `.git` is a file.
const FOREIGN: [&str; 3] = ["target", ".git", ".cache"];

/// A text file of the repository.
pub(crate) struct Source {
    /// Path from the root, with slashes.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

/// Returns the root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns all text files in alphabetical order; files that are not UTF-8 are no text.
pub(crate) fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    collect(root(), &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).ok()?;
        let path = path.strip_prefix(root()).ok()?.to_string_lossy().replace('\\', "/");
        Some(Source { path, text })
    };
    paths.into_iter().filter_map(read).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let foreign = path.file_name().is_some_and(|name| FOREIGN.iter().any(|word| name == *word));
        if path.is_dir() && !foreign {
            collect(&path, paths);
        } else if path.is_file() && !foreign {
            paths.push(path);
        }
    }
}

/// Returns the Rust files.
pub(crate) fn rust() -> Vec<Source> {
    sources().into_iter().filter(|source| source.path.ends_with(".rs")).collect()
}

impl Source {
    /// Returns the lines before the inline test module.
    pub(crate) fn code(&self) -> impl Iterator<Item = &str> {
        let mut lines = self.text.lines().peekable();
        std::iter::from_fn(move || {
            let line = lines.next()?;
            let tests =
                line.starts_with("#[cfg(") && line.contains("test") && is_inline_module(lines.peek()?);
            (!tests).then_some(line)
        })
    }
}

fn is_inline_module(line: &str) -> bool {
    line.starts_with("mod ") && line.ends_with('{')
}
