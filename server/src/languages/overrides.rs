//! Texts of the database in the place of those in files.

use std::collections::BTreeMap;

use crate::{
    storage::LiveText,
    texts::{
        FluentTexts,
        check::{TextProblem, check, source},
        shape::Shape,
    },
};

/// Texts that an administrator put in the place of others.
#[derive(Debug)]
pub(super) struct Overrides {
    pub(super) texts: FluentTexts,
    /// The number of changes of texts when these were read; `None` when none were.
    pub(super) revision: Option<i64>,
}

impl Overrides {
    /// Returns none, as before the first reading.
    pub(super) fn none() -> Self {
        Self { texts: FluentTexts::empty(), revision: None }
    }

    /// Builds the texts of the database. One that could not have been saved by the routes is left out and reported:
    /// the file has its place again.
    pub(super) fn new(revision: i64, live: &[LiveText], files: &FluentTexts) -> Self {
        let mut sources: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
        for LiveText { place, body } in live {
            if let Err(problem) = fits(&place.key, body, files) {
                metrics::counter!("i18n_broken_overrides_total").increment(1);
                tracing::error!(
                    language = place.language,
                    key = place.key,
                    problem,
                    "text of the database is left out"
                );
                continue;
            }
            let (message, part) = split(&place.key, body);
            sources.entry(&place.language).or_default().entry(message).or_default().push_str(&part);
        }
        let mut texts = FluentTexts::empty();
        for (language, messages) in sources {
            let whole: Vec<_> =
                messages.into_iter().map(|(message, parts)| format!("{message} ={parts}\n")).collect();
            if let Err(error) = texts.add_source(language, &whole.concat()) {
                tracing::error!(%error, "texts of the database are left out");
            }
        }
        Self { texts, revision: Some(revision) }
    }
}

fn fits(key: &str, body: &str, files: &FluentTexts) -> Result<(), String> {
    let shape = files.english(key).ok_or("there is no such key")?;
    check(body, shape).map_err(|problems| said(&problems))
}

/// Joins what is wrong with a text.
fn said(problems: &[TextProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Takes a key apart: its message, and what follows the `=` of that message.
fn split<'a>(key: &'a str, body: &str) -> (&'a str, String) {
    match key.split_once('.') {
        Some((message, attribute)) => (message, format!("\n    .{attribute} = {}", body.trim())),
        None => (key, format!(" {}", body.trim())),
    }
}

/// Shows a text as users would read it, with these values for its variables.
pub(super) fn preview(key: &str, body: &str, (shape, value): (&Shape, &str)) -> Option<String> {
    let mut texts = FluentTexts::empty();
    texts.add_source("en", &source(key, body)).ok()?;
    let arguments = shape.variables.iter().map(|name| (name.as_str(), value.to_owned())).collect();
    texts.find(key, "en", &arguments)
}
