//! What the model does, in words: the script of the mock as far as a reader needs it.

use mock_deepseek::{Fault, Match, Pace, Reply, Rule, Script};

use super::{listed, quoted};

/// Puts a script into words, a sentence for each rule and one for all other requests.
pub(super) fn script(script: &Script) -> Vec<String> {
    let mut lines: Vec<_> = script.rules.iter().map(rule).collect();
    let default = &script.default;
    let is_plain = default.reply == Reply::default() && default.faults.is_empty() && default.pace.is_none();
    let whom = if script.rules.is_empty() { "Every request" } else { "Any other request" };
    if is_plain {
        lines.push(format!("{whom} is answered soundly."));
    } else {
        lines.push(format!("{whom}: {}.", does(&default.reply, &default.faults, default.pace.as_ref())));
    }
    lines
}

fn rule(rule: &Rule) -> String {
    let times = match rule.times {
        None => String::new(),
        Some(1) => ", once".to_owned(),
        Some(2) => ", twice".to_owned(),
        Some(times) => format!(", {times} times"),
    };
    let varied = if rule.sequence.is_some() || rule.choose.is_some() { ", one of several ways" } else { "" };
    let chance = rule.chance.map(|chance| format!(", with a chance of {chance}")).unwrap_or_default();
    let does = does(&rule.reply, &rule.faults, rule.pace.as_ref());
    format!("{}{times}{chance}{varied}: {does}.", asked(&rule.matches))
}

/// Returns which requests a rule answers.
fn asked(wanted: &Match) -> String {
    let mut parts = Vec::new();
    parts.extend(wanted.contains.as_ref().map(|text| format!("a question with {}", quoted(text))));
    parts.extend(wanted.equals.as_ref().map(|text| format!("the question {}", quoted(text))));
    if let Some(message) = &wanted.any_message {
        let text = message.contains.as_ref().or(message.equals.as_ref());
        parts.extend(text.map(|text| format!("a prompt with {}", quoted(text))));
    }
    let told = Match {
        contains: wanted.contains.clone(),
        equals: wanted.equals.clone(),
        any_message: wanted.any_message.clone(),
        ..Match::default()
    };
    if *wanted != told {
        parts.push("under the conditions of the file".to_owned());
    }
    if parts.is_empty() { "Asked anything".to_owned() } else { format!("Asked {}", parts.join(", ")) }
}

fn does(reply: &Reply, faults: &[Fault], pace: Option<&Pace>) -> String {
    let mut parts = Vec::new();
    parts.extend(match (&reply.pieces, &reply.text) {
        (Some(pieces), _) => {
            Some(format!("the model says {} in {} pieces", quoted(&pieces.concat()), pieces.len()))
        }
        (None, Some(text)) => Some(format!("the model says {}", quoted(text))),
        (None, None) => None,
    });
    let thinking = reply.thinking.as_ref().filter(|text| !text.is_empty());
    parts.extend(thinking.map(|text| format!("thinks {} before it speaks", quoted(text))));
    if pace.is_some() {
        parts.push("takes its time".to_owned());
    }
    let faults: Vec<_> = faults.iter().map(fault).collect();
    match (parts.is_empty(), faults.is_empty()) {
        (true, true) => "the model gives a sound answer".to_owned(),
        (true, false) => format!("the answer has a fault: {}", faults.join("; ")),
        (false, true) => listed(&parts),
        (false, false) => format!("{}; the answer has a fault: {}", listed(&parts), faults.join("; ")),
    }
}

fn fault(fault: &Fault) -> String {
    format!("{} (`{}`)", fault.info().title, fault.id())
}
