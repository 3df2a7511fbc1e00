//! Reports: a finished [`Run`] in the forms that people and machines read.
//!
//! Invariant: a report is rendered from the [`Run`] and from nothing else, so `run.json` can be turned
//! into any other report later. Nothing here judges; verdicts come with the result.

mod annotation;
mod html;
mod json;
mod junit;
mod markdown;
pub mod terminal;
mod words;

#[cfg(test)]
pub(crate) mod sample;

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::result::Run;

pub use annotation::{Service, annotations};
pub use json::schema;
pub use words::headline;

/// A form that a report is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// The run itself, versioned; the source of all other forms.
    Json,
    /// JUnit XML in the dialect of Jenkins, for CI systems.
    Junit,
    /// Markdown for a CI summary or a comment, under [`Format::MARKDOWN_BYTES`].
    Markdown,
    /// One self-contained page, aimed to stay under [`Format::HTML_BYTES`].
    Html,
}

impl Format {
    /// All of them, the source first.
    pub const ALL: [Self; 4] = [Self::Json, Self::Junit, Self::Markdown, Self::Html];

    /// Most bytes of a Markdown report: a comment on a code forge may hold 65 536 characters.
    pub const MARKDOWN_BYTES: usize = 60_000;

    /// What an HTML report may weigh before its transcripts are shortened further.
    pub const HTML_BYTES: usize = 2_400_000;

    /// Returns the name that the command line knows it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
            Self::Html => "html",
        }
    }

    /// Returns the name of the file in the report folder.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Json => "run.json",
            Self::Junit => "junit.xml",
            Self::Markdown => "summary.md",
            Self::Html => "index.html",
        }
    }

    /// Renders `run` in this form.
    pub fn render(self, run: &Run) -> Result<String, RenderError> {
        match self {
            Self::Json => json::render(run),
            Self::Junit => junit::render(run),
            Self::Markdown => Ok(markdown::render(run)),
            Self::Html => html::render(run),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownFormat { name: name.to_owned() })
    }
}

/// A format name that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("unknown report format `{name}`; there are `json`, `junit`, `markdown` and `html`")]
pub struct UnknownFormat {
    name: String,
}

/// A report could not be rendered; a defect of this program.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The run did not turn into JSON.
    #[error("cannot turn the run into JSON")]
    Json(#[from] serde_json::Error),
    /// The XML writer refused.
    #[error("cannot write the run as JUnit XML")]
    Junit(#[from] quick_junit::SerializeError),
    /// The page template refused.
    #[error("cannot fill the page template")]
    Html(#[from] minijinja::Error),
}

/// Why no report could be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// See [`RenderError`].
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The file system refused.
    #[error("cannot write the report `{}`; choose another folder with `--report`", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes `run` into `folder`, which is made if need be; returns the files.
///
/// The JSON is written even if it is not among the `formats`: it is the evidence. Each file is replaced
/// as a whole, so that a reader never meets half of one.
pub fn write(run: &Run, folder: &Path, formats: &[Format]) -> Result<Vec<PathBuf>, WriteError> {
    fs::create_dir_all(folder).map_err(|source| WriteError::Io { path: folder.to_owned(), source })?;
    Format::ALL
        .into_iter()
        .filter(|format| *format == Format::Json || formats.contains(format))
        .map(|format| {
            let path = folder.join(format.file_name());
            replace(&path, &format.render(run)?)
                .map_err(|source| WriteError::Io { path: path.clone(), source })?;
            Ok(path)
        })
        .collect()
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("draft");
    fs::write(&draft, text)?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_its_name() {
        for format in Format::ALL {
            assert_eq!(format.name().parse::<Format>().unwrap(), format);
        }
    }

    #[test]
    fn an_unknown_format_names_the_known_ones() {
        let error = "pdf".parse::<Format>().unwrap_err();

        insta::assert_snapshot!(error, @"unknown report format `pdf`; there are `json`, `junit`, `markdown` and `html`");
    }

    #[test]
    fn the_source_is_written_whatever_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();

        let files = write(&sample::run(), folder.path(), &[Format::Markdown]).unwrap();

        let names: Vec<_> = files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
        assert_eq!(names, ["run.json", "summary.md"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no draft is left behind");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let folder = file.path().join("report");

        let error = write(&sample::run(), &folder, &[]).unwrap_err();

        assert!(error.to_string().contains("choose another folder with `--report`"), "{error}");
        assert!(error.to_string().contains(&*folder.to_string_lossy()), "{error}");
    }
}
