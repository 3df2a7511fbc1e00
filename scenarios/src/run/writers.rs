//! Many writers on one fact at once, and the history of what they did.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    history::{FactHistory, Operation, Outcome, Revision},
    model::{WriteFacts, Writing},
    rest::{Request, Rest},
};

/// Conflicts that one append may meet before it counts as refused.
const ATTEMPTS: u32 = 2000;

/// Who writes, and where.
#[derive(Clone, Debug)]
pub(super) struct Pen {
    pub(super) rest: Rest,
    pub(super) token: Option<String>,
    pub(super) key: String,
}

impl Pen {
    fn request(&self, method: Method, body: Option<Value>) -> Request {
        let path = format!("/api/users/me/facts/{}", self.key);
        Request { method, path, token: self.token.clone(), body, ..Request::default() }
    }

    /// Writes a new value, whatever is stored.
    async fn replace(&self, value: &str) -> Outcome {
        match self.rest.call(self.request(Method::PUT, Some(json!({"value": value})))).await {
            Ok(answer) => outcome(answer.status, &answer.body),
            Err(_) => Outcome::Unknown,
        }
    }

    /// Adds a word to what is stored, on condition of its version; on conflict again.
    async fn append(&self, word: &str) -> Outcome {
        for _ in 0..ATTEMPTS {
            let Ok(stored) = self.rest.call(self.request(Method::GET, None)).await else {
                return Outcome::Unknown;
            };
            let before = stored.body.pointer("/value").and_then(Value::as_str).unwrap_or_default();
            let version = stored.body.pointer("/version").and_then(Value::as_i64).unwrap_or_default();
            let value = format!("{before} {word}");
            let body = json!({"value": value.trim_start(), "version": version});
            match self.rest.call(self.request(Method::PUT, Some(body))).await {
                Ok(answer) if answer.status == 409 => {}
                Ok(answer) => return outcome(answer.status, &answer.body),
                Err(_) => return Outcome::Unknown,
            }
        }
        Outcome::Refused
    }

    /// Asks the server for what is stored now and what ever was.
    pub(super) async fn stored(&self) -> Result<(Vec<Revision>, String), String> {
        let now = self.rest.call(self.request(Method::GET, None)).await?;
        let mut request = self.request(Method::GET, None);
        request.path.push_str("/history");
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
        let last = now.body.pointer("/value").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok((revisions.ok_or_else(|| format!("`{}` answered without version or value", history.call))?, last))
    }
}

fn outcome(status: u16, body: &Value) -> Outcome {
    match (status, body.pointer("/version").and_then(Value::as_i64)) {
        (200 | 201, Some(version)) => Outcome::Acknowledged(version),
        (200..=499, _) => Outcome::Refused,
        _ => Outcome::Unknown,
    }
}

/// Lets all writers write, and returns their history without the server's side of it.
pub(super) async fn write(step: &WriteFacts, pen: &Pen) -> FactHistory {
    let mut writers = JoinSet::new();
    for writer in 0..step.writers {
        let (pen, each, how) = (pen.clone(), step.each, step.how);
        writers.spawn(async move {
            let mut operations = Vec::new();
            for n in 0..each {
                let value = format!("w{writer}-{n}");
                let outcome = match how {
                    Writing::Replace => pen.replace(&value).await,
                    Writing::Append => pen.append(&value).await,
                };
                operations.push(Operation { writer: writer.to_string(), value, outcome });
            }
            operations
        });
    }
    let operations = writers.join_all().await.into_iter().flatten().collect();
    FactHistory { key: step.key.clone(), operations, ..FactHistory::default() }
}
