//! What was nearly it: the event that only a field or two of a matcher kept out. It tells a reader why nothing matched.

use serde_json::Value;

use super::{Hit, between, hits};
use crate::{
    matching,
    model::{FrameMatch, HttpMatch, Sometimes, Subject, UpstreamMatch},
    observation::Observation,
    record::What,
    transcript::Origin,
};

/// Longest value that is shown, in characters.
const SHOWN: usize = 120;

/// Finds an event that would match if one field, or else two, were not asked for; tells them, and where it is seen.
pub(super) fn miss(some: &Sometimes, seen: &Observation) -> Option<(String, Origin)> {
    let one = || relaxed(&some.on).into_iter().map(|(field, subject)| (vec![field], subject));
    let two = one().flat_map(|(first, subject)| {
        relaxed(&subject)
            .into_iter()
            .map(move |(field, subject)| ([first.clone(), vec![field]].concat(), subject))
    });
    let marks = [&some.after, &some.before];
    one().chain(two).find_map(|(fields, subject)| {
        let (_, origin): Hit = between(hits(&subject, seen), seen, marks).pop()?;
        let shown =
            |field| Some(format!("its `{field}` is {}", shorten(&value(field, &some.on, (seen, origin))?)));
        let mut told: Vec<_> = fields.iter().filter_map(|field| shown(field)).collect();
        if told.is_empty() {
            told = fields.iter().map(|field| format!("its `{field}` is not that")).collect();
        }
        Some((format!("one is near, but {}", told.join(" and ")), origin))
    })
}

/// Returns the matcher without each of the fields that it gives.
fn relaxed(subject: &Subject) -> Vec<(&'static str, Subject)> {
    macro_rules! without {
        ($kind:ident, $wanted:ident, $match:ident: $($field:ident),*) => {
            vec![$((stringify!($field), $match { $field: Default::default(), ..$wanted.clone() })),*]
                .into_iter()
                .map(|(field, wanted)| (field.trim_start_matches("r#"), Subject::$kind(wanted)))
                .collect()
        };
    }
    match subject {
        Subject::Frame(wanted) => {
            without!(Frame, wanted, FrameMatch: answer, text, contains, matches, json, has, action, code, kind, r#type)
        }
        Subject::Upstream(wanted) => {
            without!(Upstream, wanted, UpstreamMatch: lacks, times, in_order, messages, ended, fault, contains, last)
        }
        Subject::Http(wanted) => {
            without!(Http, wanted, HttpMatch: length, json, has, contains, headers, status)
        }
        Subject::Socket(_) | Subject::Metric(_) | Subject::Log(_) => Vec::new(),
    }
}

/// Returns the value of the field that did not match, where one can be shown.
fn value(field: &str, wanted: &Subject, (seen, origin): (&Observation, Origin)) -> Option<Value> {
    match (origin, wanted) {
        (Origin::Event(n), Subject::Frame(wanted)) => {
            let What::Frame(frame) = &seen.events[n].what else { return None };
            match field {
                "answer" => frame.answer.clone().map(Value::from),
                "text" | "contains" | "matches" => Some(frame.field("content").into()),
                "json" => Some(differing(wanted.json.keys(), &frame.json)),
                "has" => None,
                field => Some(frame.field(field).into()),
            }
        }
        (Origin::Event(n), Subject::Http(wanted)) => {
            let What::Http(answer) = &seen.events[n].what else { return None };
            match field {
                "status" => Some(answer.status.into()),
                "json" => Some(differing(wanted.json.keys(), &answer.body)),
                "length" => Some(differing(wanted.length.keys(), &answer.body)),
                _ => None,
            }
        }
        (Origin::Exchange(n), Subject::Upstream(_)) => {
            let exchange = &seen.exchanges[n];
            let said = || matching::prompt(exchange).into_iter().filter(|(role, _)| role != "system");
            match field {
                "messages" => Some(said().count().into()),
                "last" => said().next_back().map(|(_, content)| content.into()),
                "ended" => Some(format!("{:?}", matching::end_of(exchange)).into()),
                _ => Some(said().map(|(_, content)| content).collect::<Vec<_>>().into()),
            }
        }
        _ => None,
    }
}

/// Returns what stands at the places that were asked for.
fn differing<'a>(pointers: impl Iterator<Item = &'a String>, json: &Value) -> Value {
    let found: Vec<Value> =
        pointers.map(|pointer| json.pointer(pointer).cloned().unwrap_or_default()).collect();
    match found.as_slice() {
        [one] => one.clone(),
        _ => found.into(),
    }
}

fn shorten(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
