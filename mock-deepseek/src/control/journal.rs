//! What was asked and answered: lists, single exchanges, expectations.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{
        Path, Query, State,
        rejection::{BytesRejection, QueryRejection},
    },
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use clock::Clock;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Control, Refusal};
use crate::{
    expectation::Expectation,
    fault::Fault,
    journal::{EXCHANGES_MAX, Entry, Journal},
    summary::{Summary, millis},
};

/// A list has so many exchanges when no limit is given.
pub const LISTED_DEFAULT: usize = 100;
/// A list with bodies and bytes has so many at most.
pub const LISTED_IN_DETAIL_MAX: usize = 100;

/// Which exchanges are listed; all that is given must hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// Without the query.
    path: Option<String>,
    rule: Option<String>,
    /// The id of a planned fault.
    fault: Option<String>,
    /// Only what came after the exchange of this number, the oldest first; without it, the newest.
    since: Option<u64>,
    limit: Option<usize>,
    /// With headers, body and written bytes.
    #[serde(default)]
    detail: bool,
}

/// An exchange in full.
#[derive(Debug, Serialize)]
struct Detail<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    request: RequestView<'a>,
    writes: Vec<WriteView<'a>>,
    /// Of the written bytes, so many are shown.
    kept: usize,
}

#[derive(Debug, Serialize)]
struct RequestView<'a> {
    headers: &'a [(String, String)],
    body: Data<'a>,
}

#[derive(Debug, Serialize)]
struct WriteView<'a> {
    /// Milliseconds since the request.
    after_ms: f64,
    #[serde(flatten)]
    data: Data<'a>,
}

/// Bytes in JSON: as text where they are UTF-8, else in base 64.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Data<'a> {
    Text(&'a str),
    Base64(String),
}

impl<'a> Data<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        std::str::from_utf8(bytes).map_or_else(|_| Self::Base64(BASE64_STANDARD.encode(bytes)), Self::Text)
    }
}

/// Shows an exchange in full.
fn detail(entry: &Entry, clock: &dyn Clock) -> Value {
    let exchange = entry.shown();
    let writes = exchange.writes.iter().map(|write| WriteView {
        after_ms: millis(write.at.since(exchange.at)),
        data: Data::of(&write.bytes),
    });
    json!(Detail {
        summary: Summary::of(entry, clock),
        request: RequestView { headers: &exchange.headers, body: Data::of(&exchange.body) },
        writes: writes.collect(),
        kept: exchange.writes.iter().map(|write| write.bytes.len()).sum(),
    })
}

impl Filter {
    fn accepts(&self, entry: &Entry) -> bool {
        let path = |path: &String| entry.path.split('?').next() == Some(path);
        let fault = |id: &String| entry.faults.iter().any(|fault| fault.id == id);
        self.path.as_ref().is_none_or(path)
            && self.rule.as_deref().is_none_or(|rule| entry.rule.as_deref() == Some(rule))
            && self.fault.as_ref().is_none_or(fault)
            && self.since.is_none_or(|number| entry.number > number)
    }

    fn limit(&self) -> usize {
        let most = if self.detail { LISTED_IN_DETAIL_MAX } else { EXCHANGES_MAX };
        self.limit.unwrap_or(LISTED_DEFAULT).min(most)
    }

    /// Shows the exchanges in order of arrival, each with its number: the oldest after `since`, else the newest.
    fn find(&self, journal: &Journal, clock: &dyn Clock) -> Vec<(u64, Value)> {
        let mut left = self.limit();
        let first = match self.since {
            Some(_) => 0,
            None => newest(journal, left, |entry| self.accepts(entry)),
        };
        journal.pick(|entry| {
            let wanted = left > 0 && entry.number >= first && self.accepts(entry);
            left -= usize::from(wanted);
            wanted.then(|| (entry.number, self.show(entry, clock)))
        })
    }

    fn show(&self, entry: &Entry, clock: &dyn Clock) -> Value {
        if self.detail { detail(entry, clock) } else { json!(Summary::of(entry, clock)) }
    }
}

/// Returns the number of the first of the newest `count` exchanges that are wanted.
pub(crate) fn newest(journal: &Journal, count: usize, wanted: impl Fn(&Entry) -> bool) -> u64 {
    let numbers = journal.pick(|entry| wanted(entry).then_some(entry.number));
    numbers[numbers.len().saturating_sub(count)..].first().copied().unwrap_or_default()
}

pub(crate) async fn list(
    State(control): State<Arc<Control>>,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Json<Value>, Refusal> {
    let Query(filter) = filter?;
    if let Some(id) = &filter.fault {
        let hint = "`/__mock/faults` lists the ids";
        Fault::new(id).map_err(|error| Refusal::unreadable("unknown_fault", &error, hint))?;
    }
    let (journal, clock) = (&control.shared.journal, &*control.shared.clock);
    let (numbers, shown): (Vec<_>, Vec<_>) = filter.find(journal, clock).into_iter().unzip();
    let last = numbers.last().copied().or(filter.since).unwrap_or_default();
    Ok(Json(json!({"exchanges": shown, "next_since": last, "kept": journal.kept()})))
}

pub(crate) async fn one(
    State(control): State<Arc<Control>>,
    Path(number): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let (journal, clock) = (&control.shared.journal, &*control.shared.clock);
    let wanted: Option<u64> = number.parse().ok();
    let found = journal.pick(|entry| (Some(entry.number) == wanted).then(|| detail(entry, clock)));
    let exchange = found.into_iter().next().ok_or_else(|| {
        let message = format!("there is no exchange `{number}` in the journal");
        let hint = format!(
            "it keeps the last {EXCHANGES_MAX}, and a reset forgets all; `/__mock/journal` lists them"
        );
        Refusal::missing("unknown_exchange", message, hint)
    })?;
    Ok(Json(exchange))
}

pub(crate) async fn clear(State(control): State<Arc<Control>>) -> Json<Value> {
    let forgotten = control.shared.journal.kept();
    control.shared.journal.clear();
    Json(json!({"forgotten": forgotten}))
}

/// Compares an expectation with the journal.
pub(crate) async fn verify(
    State(control): State<Arc<Control>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Refusal> {
    let hint = "write `{\"requests\": 2, \"match\": {\"contains\": \"week\"}}`";
    let body = body?;
    let expectation: Expectation = serde_json::from_slice(&body)
        .map_err(|error| Refusal::misread("bad_expectation", &body, &error, hint))?;
    match expectation.verify(&control.shared.journal) {
        Ok(requests) => Ok(Json(json!({"held": true, "requests": requests}))),
        Err(unmet) => {
            let hint = "`/__mock/journal?detail=true` shows what was asked";
            let refusal = Refusal::conflict("unmet", unmet.to_string(), hint);
            Err(refusal.with("expected", unmet.expected).with("got", unmet.got).with("others", unmet.others))
        }
    }
}
