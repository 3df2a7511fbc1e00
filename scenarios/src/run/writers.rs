//! Many writers and readers of one fact at once, and the history of what they did.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use clock::{Instant, SharedClock};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    history::{FactHistory, Moment, Operation, Outcome, Read, Revision, Span},
    model::{WriteFacts, Writing},
    record::Answer,
    rest::{Request, Rest},
};

/// Conflicts that one append may meet before it counts as refused.
const ATTEMPTS: u32 = 2000;

/// Puts calls and answers in order. Clones share the order.
#[derive(Clone, Debug)]
pub(super) struct Order {
    clock: SharedClock,
    began: Instant,
    places: Arc<AtomicU64>,
    acknowledged: Arc<AtomicU64>,
}

impl Order {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self { began: clock.now(), clock, places: Arc::default(), acknowledged: Arc::default() }
    }

    /// Returns from when its times count.
    pub(super) const fn began(&self) -> Instant {
        self.began
    }

    /// Returns this moment; none is given twice.
    pub(super) fn moment(&self) -> Moment {
        let place = self.places.fetch_add(1, Ordering::SeqCst) + 1;
        Moment { place, at: self.clock.now().since(self.began) }
    }

    /// Returns how many writes were acknowledged.
    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Does something and tells when.
    pub(super) async fn timed<T>(&self, doing: impl Future<Output = T>) -> (T, Span) {
        let from = self.moment();
        let done = doing.await;
        (done, Span { from, to: self.moment() })
    }
}

/// Who writes and reads, and where.
#[derive(Clone, Debug)]
pub(super) struct Pen {
    pub(super) rest: Rest,
    pub(super) token: Option<String>,
    pub(super) user: String,
    pub(super) key: String,
    /// What all words of this pen begin with: no two pens of a run write the same.
    pub(super) prefix: String,
    pub(super) order: Order,
}

impl Pen {
    async fn call(&self, method: Method, body: Option<Value>) -> Result<Answer, String> {
        let path = format!("/api/users/me/facts/{}", self.key);
        let request = Request { method, path, token: self.token.clone(), body, ..Request::default() };
        self.rest.call(request).await
    }

    /// Writes a new value, whatever is stored.
    async fn replace(&self, value: &str) -> Outcome {
        match self.call(Method::PUT, Some(json!({"value": value}))).await {
            Ok(answer) => outcome(answer.status, &answer.body),
            Err(_) => Outcome::Unknown,
        }
    }

    /// Adds a word to what is stored, on condition of its version; on conflict again.
    async fn append(&self, word: &str) -> Outcome {
        for _ in 0..ATTEMPTS {
            let Ok(stored) = self.call(Method::GET, None).await else {
                return Outcome::Unknown;
            };
            let before = stored.body.pointer("/value").and_then(Value::as_str).unwrap_or_default();
            let version = stored.body.pointer("/version").and_then(Value::as_i64).unwrap_or_default();
            let value = format!("{before} {word}");
            let body = json!({"value": value.trim_start(), "version": version});
            match self.call(Method::PUT, Some(body)).await {
                Ok(answer) if answer.status == 409 => {}
                Ok(answer) => return outcome(answer.status, &answer.body),
                Err(_) => return Outcome::Unknown,
            }
        }
        Outcome::Refused
    }

    /// Reads what is stored; an answer that tells neither a value nor that there is none is no read.
    async fn read(&self, reader: &str) -> Option<Read> {
        let (answer, span) = self.order.timed(self.call(Method::GET, None)).await;
        let answer = answer.ok()?;
        let value = match answer.status {
            200 => Some(answer.body.pointer("/value").and_then(Value::as_str)?.to_owned()),
            404 => None,
            _ => return None,
        };
        Some(Read { reader: reader.to_owned(), value, span })
    }

    /// Asks the server for what ever was stored.
    async fn revisions(&self) -> Result<Vec<Revision>, String> {
        let path = format!("/api/users/me/facts/{}/history", self.key);
        let request = Request { path, token: self.token.clone(), ..Request::default() };
        let history = self.rest.call(request).await?;
        let revisions =
            history.body.as_array().ok_or_else(|| format!("`{}` answered {}", history.call, history.body))?;
        let read = |revision: &Value| {
            Some(Revision {
                version: revision.get("version")?.as_i64()?,
                value: revision.get("value")?.as_str()?.to_owned(),
            })
        };
        let revisions = revisions.iter().map(read).collect::<Option<_>>();
        revisions.ok_or_else(|| format!("`{}` answered without version or value", history.call))
    }

    async fn write(self, writer: u32, step: Arc<WriteFacts>) -> Vec<Operation> {
        let mut operations = Vec::new();
        for n in 0..step.each {
            let value = match step.values {
                Some(values) => format!("{}{}", self.prefix, (writer + n) % values),
                None => format!("{}{writer}-{n}", self.prefix),
            };
            let (outcome, span) = match step.how {
                Writing::Replace => self.order.timed(self.replace(&value)).await,
                Writing::Append => self.order.timed(self.append(&value)).await,
            };
            if matches!(outcome, Outcome::Acknowledged(_)) {
                self.order.acknowledged.fetch_add(1, Ordering::SeqCst);
            }
            operations.push(Operation { writer: writer.to_string(), value, outcome, span });
        }
        operations
    }

    async fn read_on(self, reader: u32, each: u32) -> Vec<Read> {
        let mut reads = Vec::new();
        for _ in 0..each {
            reads.extend(self.read(&reader.to_string()).await);
        }
        reads
    }
}

fn outcome(status: u16, body: &Value) -> Outcome {
    match (status, body.pointer("/version").and_then(Value::as_i64)) {
        (200 | 201, Some(version)) => Outcome::Acknowledged(version),
        (200..=499, _) => Outcome::Refused,
        _ => Outcome::Unknown,
    }
}

/// Returns what the words of the `n`th history begin with.
pub(super) fn prefix(n: usize) -> String {
    let letter = char::from(b'a' + u8::try_from(n % 26).unwrap_or_default());
    letter.to_string().repeat(1 + n / 26)
}

/// Lets all writers write and all readers read, and returns what they did.
pub(super) async fn write(step: WriteFacts, pen: Pen) -> FactHistory {
    let mut history = FactHistory::new(&*pen.user, &*pen.key, step.how);
    history.before = pen.read("first").await.and_then(|read| read.value);
    let (mut writers, mut readers) = (JoinSet::new(), JoinSet::new());
    let step = Arc::new(step);
    for writer in 0..step.writers {
        writers.spawn(pen.clone().write(writer, Arc::clone(&step)));
    }
    for reader in 0..step.readers {
        readers.spawn(pen.clone().read_on(reader, step.each));
    }
    history.operations = writers.join_all().await.into_iter().flatten().collect();
    history.reads = readers.join_all().await.into_iter().flatten().collect();
    history
}

/// Adds what is stored at the end.
pub(super) async fn finish(history: &mut FactHistory, pen: &Pen) -> Result<(), String> {
    let last = pen.read("last").await;
    history.last = last.iter().find_map(|read| read.value.clone()).unwrap_or_default();
    history.reads.extend(last);
    history.revisions = pen.revisions().await?;
    Ok(())
}
