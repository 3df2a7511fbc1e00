//! An answer that comes as one JSON object and is passed on so.

use axum::{
    body::Bytes,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Cut, Defect, Way, refusal};

/// Asks the model and passes its answer on, as the defect wants it.
pub(super) async fn answer(way: Way, body: Bytes) -> Response {
    let defect = way.defect;
    let asking = tokio::spawn(async move {
        let asked = way.ask(body).await?;
        let status = asked.status();
        Ok::<_, reqwest::Error>((status, asked.bytes().await?))
    });
    // Whoever has left is not waited for.
    let cut = Cut(asking.abort_handle(), defect);
    let Ok(asked) = timeout(defect.patience(), asking).await else {
        return refusal(StatusCode::GATEWAY_TIMEOUT, "the model says nothing");
    };
    drop(cut);
    match asked.unwrap() {
        Ok((status, body)) if status.is_success() => passed_on(defect, &body),
        Ok(_) if defect == Defect::SoothesErrors => own("Sorry, something went wrong."),
        Ok((_, body)) if defect == Defect::HidesTheStatus => {
            refusal(StatusCode::INTERNAL_SERVER_ERROR, &String::from_utf8_lossy(&body))
        }
        Ok((status, body)) => refusal(status, &String::from_utf8_lossy(&body)),
        Err(_) if defect == Defect::BelievesTheHalf => own("Something was said."),
        Err(error) => refusal(StatusCode::BAD_GATEWAY, &error.to_string()),
    }
}

fn passed_on(defect: Defect, body: &Bytes) -> Response {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let is_answer = json.as_ref().is_some_and(|json| json["choices"][0]["finish_reason"].is_string());
    match defect {
        Defect::BelievesTheStatus => sent(body.clone()),
        Defect::BelievesTheHalf if !is_answer => own(&String::from_utf8_lossy(body)),
        Defect::ReadsComments if body.starts_with(b"\n") => refusal(StatusCode::BAD_GATEWAY, "not JSON"),
        Defect::SwallowsErrors if json.is_some_and(|json| json["error"].is_object()) => own(""),
        _ if is_answer => sent(body.clone()),
        _ => refusal(StatusCode::BAD_GATEWAY, "the model sent no answer"),
    }
}

fn sent(body: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

/// An answer that the model never gave.
fn own(text: &str) -> Response {
    let choice =
        json!({"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"});
    axum::Json(json!({"id": "own", "choices": [choice]})).into_response()
}
