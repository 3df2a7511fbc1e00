//! `/api/openapi.json` and `/api/asyncapi.json`: what there is to ask for, and what is said in the chat.

use axum::{
    http::{HeaderName, header},
    response::IntoResponse,
};

use crate::{api, chat::asyncapi, error::ApiError};

const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// `GET /api/openapi.json`
pub(crate) async fn api() -> Result<impl IntoResponse, ApiError> {
    let text = api::text().map_err(|error| {
        tracing::error!(%error, "no document of the API");
        ApiError::internal()
    })?;
    Ok((JSON, text))
}

/// `GET /api/asyncapi.json`
pub(crate) async fn socket() -> impl IntoResponse {
    (JSON, asyncapi::text())
}
