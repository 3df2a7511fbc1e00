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

/// What a message costs beside its text.
const MESSAGE_TOKENS: usize = 4;

/// Builds the prompt.
pub fn build(material: &Material<'_>, bounds: &Bounds) -> Vec<Turn> {
    let turn = |role, text: &str| turn(role, text, bounds.mask);
    let current = turn("user", material.current);
    let mut left = bounds.tokens.saturating_sub(cost(&current));
    let system = system(material, bounds, left);
    left = left.saturating_sub(cost(&system));
    let mut newest_first = Vec::new();
    for message in material.history.iter().rev() {
        let turn = turn(role(message.role), &message.text);
        let Some(rest) = left.checked_sub(cost(&turn)) else { break };
        left = rest;
        newest_first.push(turn);
    }
    newest_first.reverse();
    [vec![system], newest_first, vec![current]].concat()
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

fn turn(role: &'static str, text: &str, masked: bool) -> Turn {
    Turn { role, content: if masked { mask::mask(text) } else { text.to_owned() } }
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
        let lines: Vec<_> = known.iter().map(|(_, line)| line.as_str()).collect();
        let turn = turn("system", &system_text(material.language, &lines, terms), bounds.mask);
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
    if facts::is_overdue(fact, at) {
        return format!("- {}: {OVERDUE}", one_line(&fact.key));
    }
    format!("- {}: {}", one_line(&fact.key), one_line(&facts::shown(fact, at)))
}

/// Folds white space and control characters to single spaces and cuts to the longest length.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").chars().take(FACT_CHARACTERS_MAX).collect()
}

fn system_text(language: &str, known: &[&str], terms: &[String]) -> String {
    let mut text = format!("{ROLE}\n{}\n", answer_in(language));
    let known = known.iter().copied();
    let terms = terms.iter().map(String::as_str);
    let headed = [("What is known about the user:", known.collect::<Vec<_>>()), (TERMS, terms.collect())];
    for (head, lines) in headed.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        for line in [head].into_iter().chain(lines) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text + RULES
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

/// Names the language of the answer; what has no name is English.
fn answer_in(language: &str) -> String {
    format!("Answer in {}.", english_name(language).unwrap_or("English"))
}

#[cfg(test)]
mod tests;
