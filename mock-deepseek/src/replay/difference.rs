//! Tells how a request differs from those that were recorded.
//!
//! Invariant: bounded by [`COMPARED_MAX`], [`TOLD_MAX`] and [`SHOWN_MAX`], however large cassette and
//! request are.

use serde_json::Value;

use super::Key;

/// So many recorded requests are compared at most.
const COMPARED_MAX: usize = 200;
/// So many differences are told.
const TOLD_MAX: usize = 4;
/// So many differences are counted to find the nearest.
const COUNTED_MAX: usize = 50;
/// So many characters of a value are shown.
const SHOWN_MAX: usize = 40;

/// Tells which of the recorded requests is nearest, and what differs. Each comes with its line.
pub(super) fn nearest<'a>(asked: &Key, recorded: impl Iterator<Item = (&'a Key, usize)>) -> String {
    let mut candidates: Vec<_> = recorded.map(|(key, line)| (grave(key, asked), key, line)).collect();
    let Some(least) = candidates.iter().map(|(grave, ..)| grave.len()).min() else {
        return "the cassette is empty".to_owned();
    };
    candidates.retain(|(grave, ..)| grave.len() == least);
    // Another request altogether differs everywhere: of such a one only the grave is told.
    if least == 0 {
        let json = asked.json();
        for (found, key, _) in candidates.iter_mut().take(COMPARED_MAX) {
            *found = within(key, asked, json.as_ref());
        }
        candidates.truncate(COMPARED_MAX);
    }
    let nearest = candidates.iter().min_by_key(|(found, _, line)| (found.len(), *line));
    nearest.map_or_else(String::new, |(found, _, line)| {
        format!("the nearest, in line {line} of the cassette, differs {}", told(found))
    })
}

fn told(found: &[String]) -> String {
    let more = found.len().saturating_sub(TOLD_MAX);
    let rest = if more == 0 { String::new() } else { format!(" and {more} places more") };
    found[..found.len() - more].join(", ") + &rest
}

/// Returns what makes it another request altogether.
fn grave(recorded: &Key, asked: &Key) -> Vec<String> {
    let word = |has: bool| if has { "present" } else { "absent" };
    let parts = [
        ("method", recorded.method.as_str(), asked.method.as_str()),
        ("path", &recorded.path, &asked.path),
        ("key", word(recorded.is_keyed), word(asked.is_keyed)),
    ];
    let differ = parts.into_iter().filter(|(_, recorded, asked)| recorded != asked);
    differ
        .map(|(what, recorded, asked)| format!("in the {what} (recorded {recorded}, asked {asked})"))
        .collect()
}

/// Returns what differs in the bodies.
fn within(recorded: &Key, asked: &Key, json: Option<&Value>) -> Vec<String> {
    let mut found = Vec::new();
    match (recorded.json(), json) {
        (Some(recorded), Some(asked)) => compare(&recorded, asked, &mut String::new(), &mut found),
        _ if recorded.body != asked.body => found.push("in the body, which is not JSON in both".to_owned()),
        _ => {}
    }
    found
}

fn compare(recorded: &Value, asked: &Value, path: &mut String, found: &mut Vec<String>) {
    if recorded == asked || found.len() >= COUNTED_MAX {
        return;
    }
    let mut within = |name: &str, recorded: Option<&Value>, asked: Option<&Value>| {
        let length = path.len();
        path.push('/');
        path.push_str(&name.replace('~', "~0").replace('/', "~1"));
        match (recorded, asked) {
            (Some(recorded), Some(asked)) => compare(recorded, asked, path, found),
            (recorded, asked) => found.push(at(path, recorded, asked)),
        }
        path.truncate(length);
    };
    match (recorded, asked) {
        (Value::Object(recorded), Value::Object(asked)) => {
            for (name, value) in recorded {
                within(name, Some(value), asked.get(name));
            }
            for (name, value) in asked.iter().filter(|(name, _)| !recorded.contains_key(*name)) {
                within(name, None, Some(value));
            }
        }
        (Value::Array(recorded), Value::Array(asked)) => {
            for place in 0..recorded.len().max(asked.len()) {
                within(&place.to_string(), recorded.get(place), asked.get(place));
            }
        }
        _ => found.push(at(path, Some(recorded), Some(asked))),
    }
}

fn at(path: &str, recorded: Option<&Value>, asked: Option<&Value>) -> String {
    let shown =
        |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), |value| short(&value.to_string()));
    let place = if path.is_empty() { "the whole body".to_owned() } else { format!("`{path}`") };
    format!("at {place} (recorded {}, asked {})", shown(recorded), shown(asked))
}

fn short(text: &str) -> String {
    if text.chars().count() <= SHOWN_MAX {
        return text.to_owned();
    }
    text.chars().take(SHOWN_MAX).chain(['…']).collect()
}
