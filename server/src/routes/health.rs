//! Is it running, and can it work?

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use clock::SharedClock;
use serde_json::{Value, json};

use crate::{error::ApiError, languages::Watch, storage::SharedStorage};

/// How long the database may take to answer before the server calls itself not ready.
const READY_LIMIT: Duration = Duration::from_secs(2);

/// `GET /health`: as old clients know it; looks at nothing.
pub(crate) async fn healthy(State(clock): State<SharedClock>) -> Json<Value> {
    Json(json!({"status": "healthy", "time": clock.wall().as_second()}))
}

/// `GET /health/live`: the process answers.
pub(crate) async fn live() -> Json<Value> {
    Json(json!({"status": "live"}))
}

/// `GET /health/ready`: the languages have been read, and the database answers. Its migrations are done before anybody is
/// let in.
pub(crate) async fn ready(
    State(clock): State<SharedClock>,
    State(storage): State<SharedStorage>,
    State(watch): State<Watch>,
) -> Result<Json<Value>, ApiError> {
    if !watch.has_started() {
        return Err(not_ready("the languages have not been read yet; see the log of the server"));
    }
    let problem = match clock::timeout(clock.as_ref(), READY_LIMIT, storage.ping()).await {
        Ok(Ok(())) => return Ok(Json(json!({"status": "ready"}))),
        Ok(Err(error)) => error.to_string(),
        Err(late) => late.to_string(),
    };
    tracing::warn!(problem, "database does not answer");
    Err(not_ready("the database does not answer; see the log of the server"))
}

fn not_ready(text: &str) -> ApiError {
    let error = ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text);
    error.field("status", "unavailable").after(READY_LIMIT)
}
