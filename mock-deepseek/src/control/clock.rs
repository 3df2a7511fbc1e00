//! The time of the mock: to be read always, to be moved where it stands still by itself.

use std::{sync::Arc, time::Duration};

use ::clock::{Instant, Lab};
use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{Control, Refusal};
use crate::{duration, summary::millis};

/// The clock is advanced by so much at once, at most.
pub const ADVANCE_MAX: Duration = Duration::from_hours(24);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    #[serde(deserialize_with = "duration::deserialize")]
    advance: Duration,
}

impl Control {
    /// Returns what kind of clock this is.
    pub(crate) fn clock_kind(&self) -> &'static str {
        if self.lab.is_some() { "manual" } else { "system" }
    }

    fn time(&self) -> Value {
        let clock = &self.shared.clock;
        json!({
            "clock": self.clock_kind(),
            "now_ms": millis(clock.now().since(Instant::ZERO)),
            "time": format!("{:.3}", clock.wall()),
        })
    }
}

pub(crate) async fn show(State(control): State<Arc<Control>>) -> Json<Value> {
    Json(control.time())
}

/// Advances the time, from sleeper to sleeper; answers when everything that became due has happened.
pub(crate) async fn advance(
    State(control): State<Arc<Control>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Refusal> {
    let lab: &Mutex<Lab> = control.lab.as_ref().ok_or_else(|| {
        let hint = "start it with `gauntlet mock --clock manual`, or as a library with `Builder::lab`";
        Refusal::conflict("clock_moves_by_itself", "the clock is the system's and cannot be advanced", hint)
    })?;
    let (body, hint) = (body?, "write `{\"advance\": \"8s\"}`");
    let Advance { advance } = serde_json::from_slice(&body)
        .map_err(|error| Refusal::misread("bad_advance", &body, &error, hint))?;
    if advance > ADVANCE_MAX {
        let error = format!("`{advance:?}` is more than {} hours", ADVANCE_MAX.as_secs() / 3600);
        return Err(Refusal::unreadable("bad_advance", &error, hint));
    }
    let lab = lab.try_lock().map_err(|_busy| {
        Refusal::conflict(
            "clock_is_moving",
            "somebody else advances the clock now",
            "try again when it stands still",
        )
    })?;
    lab.advance(advance).await.map_err(|error| {
        let hint = "a client or a program in this process never rests; look at `/__mock/journal`";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "unsettled", error.to_string(), hint)
    })?;
    Ok(Json(control.time()))
}
