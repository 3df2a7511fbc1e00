//! From a text to a valid scenario, or to an error that points at the wrong word.
//!
//! Invariant: whoever holds a [`Scenario`] need not check it again: names resolve, kinds are unique,
//! expressions mean something on the built-in target.

mod check;

use std::{ops::Range, path::Path};

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

use crate::{
    expr::{Expr, ExprError, Settings},
    model::{File, Scenario},
    target,
};

/// Version of the file format.
pub const FORMAT: u32 = 1;

/// A scenario file that is not valid: what, where, and the way out.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    message: String,
    help: Option<String>,
    source_code: NamedSource<String>,
    span: Option<Range<usize>>,
}

impl Diagnostic for ParseError {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source_code)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}

/// What is wrong and where, before it is tied to a file.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) place: Place,
}

/// Where in the file something is wrong.
#[derive(Debug)]
pub(crate) enum Place {
    /// Nowhere in particular.
    File,
    /// Just here.
    Span(Range<usize>),
    /// Where this word first stands.
    Word(String),
}

impl Place {
    fn span(self, text: &str) -> Option<Range<usize>> {
        match self {
            Self::File => None,
            Self::Span(span) => Some(span),
            Self::Word(word) => text.find(&word).map(|start| start..start + word.len()),
        }
    }
}

/// Reads a scenario; its id is the stem of `file`.
///
/// Named times (`"= llm.gap / 2"`) take the values of the built-in target.
pub fn parse(file: &str, text: &str) -> Result<Scenario, Box<ParseError>> {
    parse_for(file, text, &target::default_settings())
}

/// Reads a scenario for a target with these settings; see [`named_times`].
pub(crate) fn parse_for(file: &str, text: &str, settings: &Settings) -> Result<Scenario, Box<ParseError>> {
    let tie = |problem: Problem| {
        Box::new(ParseError {
            message: problem.message,
            help: problem.help,
            source_code: NamedSource::new(file, text.to_owned()).with_language("toml"),
            span: problem.place.span(text),
        })
    };
    let resolved = named_times(text, settings).map_err(tie)?;
    let tables: File = toml::from_str(&resolved).map_err(|error| tie(syntax(&error)))?;
    let id = Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or(file);
    let scenario = Scenario { id: id.to_owned(), file: file.to_owned(), source: text.to_owned(), tables };
    check::check(&scenario).map_err(tie)?;
    Ok(scenario)
}

/// Puts values for named times: a string that begins with `= ` is an expression over settings.
///
/// They serve where another crate's types read the value, as in the script of the model. A value takes
/// as much room as its name took, so that errors still point at the right place.
fn named_times(text: &str, settings: &Settings) -> Result<String, Problem> {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((start, length, source)) = next_named(rest) {
        let wrong = |error: ExprError| Problem {
            message: error.to_string(),
            help: Some("a string that begins with `= ` is an expression over settings".to_owned()),
            place: Place::Word(source.to_owned()),
        };
        let duration = source.parse::<Expr>().and_then(|expr| expr.duration(settings)).map_err(wrong)?;
        let value = format!("\"{}ms\"", duration.as_secs_f64() * 1000.0);
        resolved.push_str(&rest[..start]);
        resolved.push_str(&value);
        resolved.extend(std::iter::repeat_n(' ', length.saturating_sub(value.len())));
        rest = &rest[start + length..];
    }
    resolved.push_str(rest);
    Ok(resolved)
}

/// Finds the next `"= expression"`: where it starts, how long it is with its quotes, the expression.
fn next_named(text: &str) -> Option<(usize, usize, &str)> {
    let start = text.find("\"= ")?;
    let source = &text[start + 3..];
    let end = source.find(['"', '\n'])?;
    Some((start, end + 4, &source[..end]))
}

fn syntax(error: &toml::de::Error) -> Problem {
    let message = error.message().to_owned();
    let place = error.span().map_or(Place::File, Place::Span);
    Problem { help: did_you_mean(&message), message, place }
}

/// Finds the expected word that is most like the unknown one, in a message of serde's making.
fn did_you_mean(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    if !message.starts_with("unknown ") {
        return None;
    }
    let wrong = quoted.next()?;
    nearest(wrong, quoted).map(|word| format!("did you mean `{word}`?"))
}

/// Returns the candidate most like `word`, if one is like it at all.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests;
