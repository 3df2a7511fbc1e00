//! Probabilities of tokens. They are made up, but they are numbers, and the same token has the same.

use std::fmt::Write as _;

use super::{hash, quoted};
use crate::tokens;

/// What else might have been said; one more than the most that can be asked for.
const OTHERS: [&str; 21] = [
    " the", " a", " to", " and", " of", " in", " it", " is", " you", " that", " for", " on", " with", " as",
    " be", " at", " by", " we", " or", " an", " so",
];

/// Renders the `logprobs` of a chat choice: of the visible text, and of the thinking.
pub(super) fn of_chat(content: &str, reasoning: &str, top: u8) -> String {
    let list = |text| if str::is_empty(text) { "null".to_owned() } else { entries(text, top) };
    format!(r#"{{"content":{},"reasoning_content":{}}}"#, list(content), list(reasoning))
}

fn entries(text: &str, top: u8) -> String {
    let mut list = String::from("[");
    for token in tokens::each(text) {
        list.push_str(if list.len() > 1 { ",{" } else { "{" });
        entry(&mut list, token, tenths(token));
        list.push_str(r#","top_logprobs":["#);
        for (index, (token, value)) in ranked(token, top).enumerate() {
            list.push_str(if index > 0 { ",{" } else { "{" });
            entry(&mut list, token, value);
            list.push('}');
        }
        list.push_str("]}");
    }
    list + "]"
}

fn entry(list: &mut String, token: &str, value: u64) {
    let bytes: Vec<_> = token.bytes().map(|byte| byte.to_string()).collect();
    // Writing to a text cannot fail.
    let _ =
        write!(list, r#""token":{},"logprob":{},"bytes":[{}]"#, quoted(token), shown(value), bytes.join(","));
}

/// Renders the `logprobs` of a text choice that begins at `offset` characters.
pub(super) fn of_text(text: &str, offset: usize, top: u8) -> String {
    let all: Vec<_> = tokens::each(text).collect();
    let joined = |parts: Vec<String>| parts.join(",");
    let mut place = offset;
    let offsets = all.iter().map(|token| {
        let here = place;
        place += token.chars().count();
        here.to_string()
    });
    let offsets = joined(offsets.collect());
    let values = joined(all.iter().map(|token| shown(tenths(token))).collect());
    let names = joined(all.iter().map(|token| quoted(token)).collect());
    let tops = all.iter().map(|token| {
        let pairs = ranked(token, top).map(|(token, value)| format!("{}:{}", quoted(token), shown(value)));
        format!("{{{}}}", joined(pairs.collect()))
    });
    let tops = joined(tops.collect());
    format!(
        r#"{{"text_offset":[{offsets}],"token_logprobs":[{values}],"tokens":[{names}],"top_logprobs":[{tops}]}}"#
    )
}

/// Returns the token and what might have stood in its place, the likeliest first.
fn ranked(token: &str, top: u8) -> impl Iterator<Item = (&str, u64)> {
    let others = OTHERS.into_iter().filter(move |other| *other != token);
    let first = tenths(token);
    let others = others.enumerate().map(move |(rank, other)| (other, first + 5000 * (rank as u64 + 1)));
    std::iter::once((token, first)).chain(others).take(usize::from(top))
}

/// Returns how unlikely the token is, in ten-thousandths below zero.
fn tenths(token: &str) -> u64 {
    1 + hash(token) % 24_999
}

fn shown(value: u64) -> String {
    format!("-{}.{:04}", value / 10_000, value % 10_000)
}
