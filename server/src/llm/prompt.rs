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

/// What a line of a fact holds beside key and value.
const LINE_BYTES: usize = "- : \n".len();

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
    let characters = if text.is_ascii() { text.len() } else { text.chars().count() };
    characters.div_ceil(4)
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
    let mut known = known_lines(material, bounds.confidence);
    let mut terms = material.terms;
    loop {
        let turn = turn("system", system_text(material.language, &known, terms).into(), bounds.mask);
        if cost(&turn) <= tokens {
            return turn;
        }
        match terms.split_last() {
            Some((_, rest)) => terms = rest,
            None if !drop_last_line(&mut known) => return turn,
            None => {}
        }
    }
}

/// Returns the lines of facts, the most important first.
fn known_lines(material: &Material<'_>, confidence: f64) -> String {
    let sure = material.facts.iter().filter(|fact| fact.confidence >= confidence);
    let mut ranked: Vec<_> = sure.map(|fact| (rank(&fact.key), fact.key.as_str(), fact)).collect();
    ranked.sort_unstable_by_key(|(rank, key, _)| (*rank, *key));
    let length = ranked.iter().map(|(_, key, fact)| key.len() + fact.value.len() + LINE_BYTES).sum();
    let mut lines = String::with_capacity(length);
    for (.., fact) in ranked {
        push_known_line(&mut lines, fact, material.at);
    }
    lines
}

/// Drops the last line, the least important one; says whether there was one.
fn drop_last_line(lines: &mut String) -> bool {
    let Some(rest) = lines.strip_suffix('\n') else { return false };
    let begin = rest.rfind('\n').map_or(0, |end| end + 1);
    lines.truncate(begin);
    true
}

/// Adds the line of a fact. Keys and values come from users: none can begin a line of its own.
fn push_known_line(lines: &mut String, fact: &Fact, at: Timestamp) {
    lines.push_str("- ");
    push_one_line(lines, &fact.key);
    lines.push_str(": ");
    if facts::is_overdue(fact, at) {
        lines.push_str(OVERDUE);
    } else {
        push_one_line(lines, &facts::shown(fact, at));
    }
    lines.push('\n');
}

/// Adds a text with white space and control characters folded to single spaces, cut to the longest length.
fn push_one_line(line: &mut String, text: &str) {
    if is_one_line(text) {
        line.push_str(text);
        return;
    }
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

/// Says whether a text is as it has to be already, as nearly all are; for some others it says no, too.
///
/// Looks at every byte and stops at none: so the compiler looks at many at once.
fn is_one_line(text: &str) -> bool {
    let bytes = text.as_bytes();
    let others = bytes.iter().filter(|byte| !matches!(byte, b' '..=b'~')).count();
    let gaps = bytes.windows(2).filter(|pair| *pair == b"  ").count();
    let has_edge = bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ');
    others + gaps == 0 && !has_edge && text.len() <= FACT_CHARACTERS_MAX
}

fn system_text(language: &str, known: &str, terms: &[String]) -> String {
    let terms_length: usize = terms.iter().map(|line| line.len() + 1).sum();
    let length = ROLE.len() + known.len() + terms_length + RULES.len() + FRAME_BYTES;
    let mut text = String::with_capacity(length);
    text.push_str(ROLE);
    text.push_str("\nAnswer in ");
    text.push_str(english_name(language).unwrap_or("English"));
    text.push_str(".\n");
    if !known.is_empty() {
        text.push_str(KNOWN);
        text.push_str(known);
    }
    if !terms.is_empty() {
        text.push_str(TERMS);
        for line in terms {
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

/// Stands before the lines of facts.
const KNOWN: &str = "What is known about the user:\n";

/// Stands before the lines of the glossary.
const TERMS: &str = "How to say medical terms in your answer:\n";

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
