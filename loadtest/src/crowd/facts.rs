//! Facts written by many at once, and their history, judged when all is over.
//!
//! Every value is written once in its life, so that the history alone tells what was lost, doubled or made up; the checks
//! are those of the scenarios. Invariant: a write that got no answer is unknown: it may have happened.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use goose::goose::{GooseMethod, GooseRequest, GooseUser, TransactionError, TransactionResult};
use reqwest::{StatusCode, header::HOST};
use scenarios::{
    Backend, Guest,
    history::{self, Doubt, FactHistory, Moment, Operation, Outcome, Proof, Read, Revision, Span},
    model::Writing,
};
use serde_json::{Value, json};

use super::{
    figures::Time,
    profile::{Facts, How},
    promise::Promise,
    recorder::Recorder,
    seat::Seat,
    stage::Stage,
};

/// Conflicts that one append may meet before it counts as refused.
const ATTEMPTS: u32 = 2000;
/// The fact that all write.
const KEY: &str = "list";

/// What was written, by person.
#[derive(Debug, Default)]
pub(crate) struct Books(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Places given so far.
    places: u64,
    people: BTreeMap<usize, (FactHistory, Guest)>,
}

impl Books {
    /// Returns this moment; none is given twice.
    fn moment(&self, recorder: &Recorder) -> Moment {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.places += 1;
        Moment { place: kept.places, at: recorder.now().since_origin() }
    }

    fn note(&self, person: usize, (guest, how): (&Guest, How), operation: Operation) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let how = match how {
            How::Replace => Writing::Replace,
            How::Append => Writing::Append,
        };
        let open = || (FactHistory::new(format!("person {person}"), KEY, how), guest.clone());
        kept.people.entry(person).or_insert_with(open).0.operations.push(operation);
    }

    fn take(&self) -> BTreeMap<usize, (FactHistory, Guest)> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).people)
    }
}

/// Writes all that a user has to write.
pub(crate) async fn write_all(
    user: &mut GooseUser,
    stage: &Stage,
    (seat, wanted): (&Seat, &Facts),
) -> TransactionResult {
    let (n, person) = (seat.n, seat.person);
    let Some(guest) = stage.guests.get(&person).cloned() else { return Ok(()) };
    for nth in 0..wanted.writes {
        if stage.over.is_cancelled() {
            return Ok(());
        }
        let value = format!("w{n}-{nth}");
        let from = stage.books.moment(&stage.recorder);
        let outcome = match wanted.how {
            How::Replace => put(user, stage, (&guest, json!({"value": value}))).await?,
            How::Append => append(user, stage, (&guest, &value)).await?,
        };
        if matches!(outcome, Outcome::Acknowledged(_)) {
            stage.recorder.acknowledged();
        }
        let span = Span { from, to: stage.books.moment(&stage.recorder) };
        let operation = Operation { writer: n.to_string(), value, outcome, span };
        stage.books.note(person, (&guest, wanted.how), operation);
    }
    Ok(())
}

/// Adds a word to what is stored, on condition of its version; on conflict again.
async fn append(
    user: &mut GooseUser,
    stage: &Stage,
    (guest, word): (&Guest, &str),
) -> Result<Outcome, Box<TransactionError>> {
    for _ in 0..ATTEMPTS {
        let Some((_, stored)) = call(user, stage, (guest, GooseMethod::Get, None)).await? else {
            return Ok(Outcome::Unknown);
        };
        let before = stored.pointer("/value").and_then(Value::as_str).unwrap_or_default();
        let version = stored.pointer("/version").and_then(Value::as_i64).unwrap_or_default();
        let value = format!("{before} {word}");
        let body = json!({"value": value.trim_start(), "version": version});
        match put_once(user, stage, (guest, body)).await? {
            Some(outcome) => return Ok(outcome),
            None if stage.over.is_cancelled() => break,
            None => {}
        }
    }
    Ok(Outcome::Refused)
}

async fn put(
    user: &mut GooseUser,
    stage: &Stage,
    what: (&Guest, Value),
) -> Result<Outcome, Box<TransactionError>> {
    Ok(put_once(user, stage, what).await?.unwrap_or(Outcome::Refused))
}

/// Writes once; `None` says that somebody else was faster.
async fn put_once(
    user: &mut GooseUser,
    stage: &Stage,
    (guest, body): (&Guest, Value),
) -> Result<Option<Outcome>, Box<TransactionError>> {
    let Some((status, answer)) = call(user, stage, (guest, GooseMethod::Put, Some(body))).await? else {
        return Ok(Some(Outcome::Unknown));
    };
    let version = answer.pointer("/version").and_then(Value::as_i64);
    Ok(match (status, version) {
        (StatusCode::CONFLICT, _) => None,
        (status, Some(version)) if status.is_success() => Some(Outcome::Acknowledged(version)),
        (status, _) if status.is_server_error() => Some(Outcome::Unknown),
        _ => Some(Outcome::Refused),
    })
}

/// Makes one call through goose, which counts it too; `None` where no answer came.
async fn call(
    user: &mut GooseUser,
    stage: &Stage,
    (guest, method, body): (&Guest, GooseMethod, Option<Value>),
) -> Result<Option<(StatusCode, Value)>, Box<TransactionError>> {
    let path = format!("/api/users/me/facts/{KEY}");
    let mut builder = user.get_request_builder(&method, &path)?.header(HOST, &stage.host);
    if let Some(token) = &guest.token {
        builder = builder.bearer_auth(token);
    }
    if let Some(body) = &body {
        builder = builder.json(body);
    }
    let name = if body.is_some() { "write a fact" } else { "read a fact" };
    let request = GooseRequest::builder().name(name).method(method).set_request_builder(builder).build();
    let begun = stage.recorder.now();
    let answered = user.request(request).await?;
    let Ok(response) = answered.response else { return Ok(None) };
    let (status, body) = (response.status(), response.json().await.unwrap_or_default());
    stage.recorder.took(Time::Fact, begun, stage.recorder.now());
    Ok(Some((status, body)))
}

/// Reads from the target what was kept, by a client of its own, and holds it against what was acknowledged.
pub(crate) async fn judge(stage: &Stage, backend: &Backend) {
    for (person, (mut history, guest)) in stage.books.take() {
        let read = finish(&mut history, (stage, backend, &guest)).await;
        let proof = read.map_err(Proof::from).and_then(|()| match history.how {
            Writing::Replace => history::serial_history(&history),
            Writing::Append => history::no_lost_update(&history),
        });
        let told = match proof.map_err(Doubt::from).and_then(|()| history::linearizable(&history)) {
            Ok(()) => continue,
            Err(Doubt::Proved(proof)) => proof.to_string(),
            // Every value here is written once: who finds another writer's has found what nobody wrote.
            Err(Doubt::Undecided(why)) => why,
        };
        stage.recorder.broke(Promise::KeepsFacts, || format!("person {person}: {told}"));
    }
}

/// Adds what is stored at the end.
async fn finish(
    history: &mut FactHistory,
    (stage, backend, guest): (&Stage, &Backend, &Guest),
) -> Result<(), String> {
    let path = format!("/api/users/me/facts/{KEY}");
    let from = stage.books.moment(&stage.recorder);
    let (status, stored) = backend.get(&path, guest).await?;
    let span = Span { from, to: stage.books.moment(&stage.recorder) };
    let value = stored.pointer("/value").and_then(Value::as_str).map(ToOwned::to_owned);
    history.last = value.clone().ok_or_else(|| format!("`GET {path}` answered {status}: {stored}"))?;
    history.reads.push(Read { reader: "last".to_owned(), value, span });
    let path = format!("{path}/history");
    let (status, revisions) = backend.get(&path, guest).await?;
    let revision = |revision: &Value| {
        Some(Revision {
            version: revision.get("version")?.as_i64()?,
            value: revision.get("value")?.as_str()?.to_owned(),
        })
    };
    let revisions = revisions.as_array().and_then(|all| all.iter().map(revision).collect());
    history.revisions =
        revisions.ok_or_else(|| format!("`GET {path}` answered {status} without revisions"))?;
    Ok(())
}

impl Recorder {
    /// Counts a write that was acknowledged.
    fn acknowledged(&self) {
        if let Some(sums) = self.seen().measured(self.now()) {
            sums.facts += 1;
        }
    }
}
