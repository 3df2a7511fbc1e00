//! A scenario in plain words: what the model does, what is done, what must be seen, what is taken away.
//!
//! Invariant: every step and every expectation becomes a sentence that somebody understands who has never seen
//! the file format. Settings are named as they are in the file, in backticks; texts stand in quotation marks.

mod client;
mod expect;
mod model;
mod step;
mod subject;

use std::fmt::Write as _;

use serde_json::Value;

use crate::{
    expr::{Expr, Settings},
    model::{Sabotage, Scenario},
};

pub(crate) use subject::subject;

/// Longest text that is quoted whole, in characters.
const QUOTED: usize = 120;

/// A scenario in plain words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prose {
    /// What the scenario wants to be set otherwise than usual.
    pub settings: Vec<String>,
    /// What the model does, a sentence for each rule.
    pub model: Vec<String>,
    /// What is done, in order; what is repeated is indented.
    pub steps: Vec<String>,
    /// What must be seen: the name of each expectation, and what it asks for.
    pub expectations: Vec<(String, String)>,
    /// What is taken away to show that it can fail, and the expectation that must then break.
    pub sabotages: Vec<String>,
}

impl Prose {
    /// Returns what the model does and what is done, a sentence each.
    pub(crate) fn story(self) -> Vec<String> {
        self.model.into_iter().map(|line| format!("Model: {line}")).chain(self.steps).collect()
    }
}

/// Puts a scenario into words.
pub fn tell(scenario: &Scenario) -> Prose {
    let file = &scenario.tables;
    let mut steps = Vec::new();
    step::tell(&file.steps, 0, &mut steps);
    if let Some(within) = &file.steady.recovers_within {
        steps.push(format!("With a sound model, an answer comes again within {}.", amount(within)));
    }
    Prose {
        settings: settings(&file.settings),
        model: model::script(&file.llm),
        steps,
        expectations: file.expect.iter().map(|it| (it.id.get_ref().clone(), expect::tell(it))).collect(),
        sabotages: file.sabotage.iter().map(sabotage).collect(),
    }
}

fn sabotage(sabotage: &Sabotage) -> String {
    let mut means = settings(&sabotage.settings);
    means.extend(sabotage.part.as_ref().map(|part| format!("the part `{}`", part.get_ref())));
    format!("{} ({}): “{}” must break.", sabotage.name, means.join(", "), sabotage.caught_by.get_ref())
}

/// Returns settings by their dotted names.
fn settings(table: &toml::Table) -> Vec<String> {
    let flat = Settings::flatten(&crate::nest(table));
    flat.0.iter().map(|(name, value)| format!("`{name}` = {}", worded(value))).collect()
}

/// Returns who a device belongs to and what it is: `ana’s phone`; a user alone stays a name.
fn owner(device: &str) -> String {
    match device.split_once('.') {
        Some((user, device)) => format!("{user}’s {device}"),
        None => device.to_owned(),
    }
}

/// Returns a duration or count: a named one in backticks, another as it is.
fn amount(expr: &Expr) -> String {
    if expr.names().next().is_some() { format!("`{expr}`") } else { expr.to_string() }
}

/// Returns how often: `once`, `twice`, `25 times`.
fn times(expr: &Expr) -> String {
    match expr.to_string().as_str() {
        "1" => "once".to_owned(),
        "2" => "twice".to_owned(),
        _ => format!("{} times", amount(expr)),
    }
}

/// Returns a text in quotation marks, its line breaks shown; a long one is cut.
fn quoted(text: &str) -> String {
    let text = text.replace('\n', "⏎");
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("“{}…” ({} characters)", &text[..end], text.chars().count()),
        None => format!("“{text}”"),
    }
}

/// Returns a value of the file without its notation.
fn plain(value: &toml::Value) -> String {
    serde_json::to_value(value).as_ref().map(worded).unwrap_or_default()
}

fn worded(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) if items.is_empty() => "nothing".to_owned(),
        Value::Array(items) => listed(&items.iter().map(worded).collect::<Vec<_>>()),
        Value::Object(fields) => {
            let told = fields.iter().map(|(name, value)| format!("`{name}` = {}", worded(value)));
            listed(&told.collect::<Vec<_>>())
        }
        other => other.to_string(),
    }
}

/// Returns parts of a sentence, the last one after `and`.
fn listed(parts: &[String]) -> String {
    let mut text = String::new();
    for (n, part) in parts.iter().enumerate() {
        let link = match n {
            0 => "",
            n if n + 1 == parts.len() => " and ",
            _ => ", ",
        };
        _ = write!(text, "{link}{part}");
    }
    text
}

#[cfg(test)]
mod tests;
