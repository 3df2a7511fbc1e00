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
    let compared = recorded.take(COMPARED_MAX).map(|(key, line)| (differences(key, asked), line));
    match compared.min_by_key(|(found, line)| (weight(found), *line)) {
        None => "the cassette is empty".to_owned(),
        Some((found, line)) => {
            format!("the nearest, in line {line} of the cassette, differs {}", told(&found))
        }
    }
}

/// A difference: where, and whether it is one of another request altogether.
#[derive(Debug, PartialEq, Eq)]
struct Difference {
    text: String,
    is_grave: bool,
}

fn weight(found: &[Difference]) -> (usize, usize) {
    (found.iter().filter(|difference| difference.is_grave).count(), found.len())
}

/// Another request altogether differs everywhere: of such a one only the grave is told.
fn told(found: &[Difference]) -> String {
    let is_other = found.iter().any(|difference| difference.is_grave);
    let found: Vec<_> = found.iter().filter(|difference| difference.is_grave || !is_other).collect();
    let shown: Vec<_> = found.iter().take(TOLD_MAX).map(|difference| difference.text.as_str()).collect();
    let more = found.len().saturating_sub(TOLD_MAX);
    let rest = if more == 0 { String::new() } else { format!(" and {more} places more") };
    shown.join(", ") + &rest
}

fn differences(recorded: &Key, asked: &Key) -> Vec<Difference> {
    let grave = |what: &str, recorded: &str, asked: &str| Difference {
        text: format!("in the {what} (recorded {recorded}, asked {asked})"),
        is_grave: true,
    };
    let mut found = Vec::new();
    if recorded.method != asked.method {
        found.push(grave("method", &recorded.method, &asked.method));
    }
    if recorded.path != asked.path {
        found.push(grave("path", &recorded.path, &asked.path));
    }
    if recorded.has_key != asked.has_key {
        let word = |has: bool| if has { "present" } else { "absent" };
        found.push(grave("key", word(recorded.has_key), word(asked.has_key)));
    }
    match (recorded.json(), asked.json()) {
        (Some(recorded), Some(asked)) => compare(&recorded, &asked, &mut String::new(), &mut found),
        _ if recorded.body != asked.body => {
            found.push(Difference {
                text: "in the body, which is not JSON in both".to_owned(),
                is_grave: false,
            });
        }
        _ => {}
    }
    found
}

fn compare(recorded: &Value, asked: &Value, path: &mut String, found: &mut Vec<Difference>) {
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

fn at(path: &str, recorded: Option<&Value>, asked: Option<&Value>) -> Difference {
    let shown =
        |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), |value| short(&value.to_string()));
    let place = if path.is_empty() { "the whole body".to_owned() } else { format!("`{path}`") };
    Difference {
        text: format!("at {place} (recorded {}, asked {})", shown(recorded), shown(asked)),
        is_grave: false,
    }
}

fn short(text: &str) -> String {
    if text.chars().count() <= SHOWN_MAX {
        return text.to_owned();
    }
    text.chars().take(SHOWN_MAX).chain(['…']).collect()
}
