//! How the mock is: status, health, metrics, and the description of this API.

use std::{sync::Arc, time::Duration};

use ::clock::Instant;
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde_json::{Value, json};

use super::{Control, Refusal};
use crate::{
    fault::Fault, journal::EXCHANGES_MAX, metrics::Surroundings, shared::Shared, stage::ScriptStatus,
    summary::millis,
};

pub(crate) async fn status(State(control): State<Arc<Control>>) -> Json<Value> {
    let shared = &*control.shared;
    let metrics = &shared.journal.watch.metrics;
    let up: Duration = shared.clock.now().since(Instant::ZERO);
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "api": format!("{}://{}", shared.scheme(), control.api),
        "control": shared.control.map(|address| format!("http://{address}")),
        "seed": shared.seed,
        "clock": control.clock_kind(),
        "up_ms": millis(up),
        "connections": {"open": metrics.connections_open(), "max": shared.limits.connections},
        "exchanges": {"open": metrics.exchanges_open(), "total": metrics.exchanges_total()},
        "journal": {"kept": shared.journal.kept(), "max": EXCHANGES_MAX},
        "body_max": shared.limits.body,
        "faults": ordered(shared),
        "script": script(shared),
        "live_readers": shared.journal.watch.readers(),
    }))
}

/// Tells which script is played, and why not the newest version of its file.
fn script(shared: &Shared) -> Value {
    let ScriptStatus { file, version, since, rules, problem } = shared.stage.status();
    json!({
        "file": file,
        "version": version,
        "since_ms": millis(since.since(Instant::ZERO)),
        "rules": rules,
        "problem": problem,
    })
}

/// Returns the faults that were ordered for every request; `null` when the script decides.
pub(crate) fn ordered(shared: &Shared) -> Value {
    shared.orders.faults().map_or(Value::Null, |faults| faults.iter().map(Fault::id).collect::<Value>())
}

/// Says whether requests are taken.
pub(crate) async fn health(State(control): State<Arc<Control>>) -> Result<Json<Value>, Refusal> {
    if control.shared.closing.is_cancelled() {
        let hint = "start it again; answers under way still end";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the mock is stopping", hint));
    }
    Ok(Json(json!({"status": "ok"})))
}

pub(crate) async fn metrics(State(control): State<Arc<Control>>) -> impl IntoResponse {
    let journal = &control.shared.journal;
    let surroundings = Surroundings { journal: journal.kept(), readers: journal.watch.readers() };
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], journal.watch.metrics.render(surroundings))
}

pub(crate) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("openapi.json"))
}
