//! The prompt, as a pure function.
//!
//! Order: one system message (role, language, what is known, how to say medical terms), the newest messages that fit, the current
//! message whole. The current message and the system message are always there; the budget takes the
//! oldest messages first, then the lines of the glossary, then the least important facts.
//!
//! Facts are one line each, whatever their users wrote into them.
//!
//! Invariant: every text is masked after assembly (unless the settings say otherwise), and each message stands
//! in the prompt once. Small talk, fallbacks and safety texts are not given to this function, and it adds no
//! text of its own beside the system message.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    facts::{self, Life},
    languages::english_name,
    mask,
    storage::{Fact, Message, Role},
    texts::Mark,
};

/// One message of a prompt, as the model takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// `system`, `user` or `assistant`.
    pub role: &'static str,
    /// The text, masked.
    pub content: String,
}

/// What a prompt is made from.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// Language of the answer, as a resolved code.
    pub language: &'a str,
    /// What is known about the user and valid now.
    pub facts: &'a [Fact],
    /// How the medical terms in the message are to be said, a line each, the most important first.
    pub terms: &'a [String],
    /// Earlier messages of the session, oldest first.
    pub history: &'a [Message],
    /// The message to be answered.
    pub current: &'a str,
    /// Now.
    pub at: Timestamp,
}

/// How much a prompt may hold.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Budget of all messages together, in estimated tokens.
    pub tokens: usize,
    /// Facts below this confidence stay out.
    pub confidence: f64,
    /// Whether personal data is masked.
    pub mask: bool,
}

/// Longest key or value of a fact in the prompt, in characters; the rest is cut off.
const FACT_CHARACTERS_MAX: usize = 200;

/// Room for what a system message says beside facts and fixed texts.
const FRAME_BYTES: usize = 120;

/// What a message costs beside its text.
const MESSAGE_TOKENS: usize = 4;

/// Builds the prompt.
pub fn build(material: &Material<'_>, bounds: &Bounds) -> Vec<Turn> {
    let turn = |role, text| turn(role, text, bounds.mask);
    let current = turn("user", material.current.into());
    let mut left = bounds.tokens.saturating_sub(cost(&current));
    let system = system(material, bounds, left);
    left = left.saturating_sub(cost(&system));
    let mut newest_first = Vec::with_capacity(material.history.len() + 2);
    newest_first.push(current);
    for message in material.history.iter().rev() {
        let turn = turn(role(message.role), message.text.as_str().into());
        let Some(rest) = left.checked_sub(cost(&turn)) else { break };
        left = rest;
        newest_first.push(turn);
    }
    newest_first.push(system);
    newest_first.reverse();
    newest_first
}

/// Returns a prompt without what was said before, if it holds any of it.
pub fn without_history(prompt: &[Turn]) -> Option<Vec<Turn>> {
    match prompt {
        [system, .., current] if prompt.len() > 2 => Some(vec![system.clone(), current.clone()]),
        _ => None,
    }
}

/// Estimates the tokens of a text: four characters each, rounded up.
pub fn estimate(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}

fn cost(turn: &Turn) -> usize {
    estimate(&turn.content) + MESSAGE_TOKENS
}

fn turn(role: &'static str, text: Cow<'_, str>, masked: bool) -> Turn {
    Turn { role, content: if masked { mask::mask(text) } else { text.into_owned() } }
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}

fn system(material: &Material<'_>, bounds: &Bounds, tokens: usize) -> Turn {
    let mut known: Vec<_> = material
        .facts
        .iter()
        .filter(|fact| fact.confidence >= bounds.confidence)
        .map(|fact| (rank(&fact.key), known_line(fact, material.at)))
        .collect();
    known.sort();
    let mut terms = material.terms;
    loop {
        let lines = known.iter().map(|(_, line)| line.as_str());
        let turn = turn("system", system_text(material.language, lines, terms).into(), bounds.mask);
        if cost(&turn) <= tokens {
            return turn;
        }
        match terms.split_last() {
            Some((_, rest)) => terms = rest,
            None if known.pop().is_none() => return turn,
            None => {}
        }
    }
}

/// One line of a fact. Keys and values come from users: none can begin a line of its own.
fn known_line(fact: &Fact, at: Timestamp) -> String {
    let mut line = String::with_capacity(fact.key.len() + fact.value.len().max(OVERDUE.len()) + 4);
    line.push_str("- ");
    push_one_line(&mut line, &fact.key);
    line.push_str(": ");
    if facts::is_overdue(fact, at) {
        line.push_str(OVERDUE);
    } else {
        push_one_line(&mut line, &facts::shown(fact, at));
    }
    line
}

/// Adds a text with white space and control characters folded to single spaces, cut to the longest length.
fn push_one_line(line: &mut String, text: &str) {
    let start = line.len();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if line.len() > start {
            line.push(' ');
        }
        line.push_str(word);
    }
    if let Some((end, _)) = line[start..].char_indices().nth(FACT_CHARACTERS_MAX) {
        line.truncate(start + end);
    }
}

fn system_text<'a>(
    language: &str,
    known: impl ExactSizeIterator<Item = &'a str> + Clone,
    terms: &'a [String],
) -> String {
    let terms = terms.iter().map(String::as_str);
    let lengths: usize = known.clone().chain(terms.clone()).map(|line| line.len() + 1).sum();
    let mut text = String::with_capacity(ROLE.len() + lengths + RULES.len() + FRAME_BYTES);
    text.push_str(ROLE);
    text.push_str("\nAnswer in ");
    text.push_str(english_name(language).unwrap_or("English"));
    text.push_str(".\n");
    push_lines(&mut text, KNOWN, known);
    push_lines(&mut text, TERMS, terms);
    text + RULES
}

/// Adds lines with a heading; nothing where there are none.
fn push_lines<'a>(text: &mut String, heading: &'a str, lines: impl ExactSizeIterator<Item = &'a str>) {
    if lines.len() == 0 {
        return;
    }
    for line in [heading].into_iter().chain(lines) {
        text.push_str(line);
        text.push('\n');
    }
}

/// The first facts to be listed, and the last to be left out: what moves with the pregnancy, what must not be forgotten,
/// what changes, what passes.
fn rank(key: &str) -> usize {
    match facts::life(key) {
        Life::Anchor => 0,
        Life::Critical => 1,
        Life::Preference => 2,
        Life::Transient => 3,
    }
}

/// Who has read [`ROLE`] and [`RULES`] with the eyes of a midwife or doctor.
pub const REVIEW: Mark = Mark::Unreviewed;

const ROLE: &str = "You are a warm and careful companion for people who are pregnant.";

/// Stands before the lines of facts.
const KNOWN: &str = "What is known about the user:";

/// Stands before the lines of the glossary.
const TERMS: &str = "How to say medical terms in your answer:";

/// Stands for a week that nobody can know.
const OVERDUE: &str = "past the due date by the calendar; ask whether the baby has been born";

const RULES: &str = "\
Rules:
- Answer in short, plain sentences, and only about pregnancy, birth and health.
- Do not diagnose and do not name doses; say when a midwife or doctor should be asked.
- For anything that sounds dangerous, say first that a doctor should be called now.
- You cannot create calendar entries or reminders; never say that you did.
- Words in angle brackets stand for private data; do not ask for them.";

#[cfg(test)]
mod tests;
