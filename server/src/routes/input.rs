//! Input of requests: bodies with a bound in size and time, parts of paths, queries, ids, texts.
//!
//! Invariant: whatever is refused here is answered as `{"error", "code"}`. A handler never sees a body
//! beyond `http.body_bytes`; and the client of a refused one still gets the answer, because up to
//! [`DISCARD_MAX`] of it is read away first.

use std::{error::Error as _, str::FromStr};

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, request::Parts},
};
use bytes::BytesMut;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use crate::{error::ApiError, state::AppState};

/// How much of a body that is too large is read away, in bytes, before the answer.
const DISCARD_MAX: usize = 8 * 1024 * 1024;

/// A JSON object as body. The content type is not asked for: old clients forget it.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<AppState> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let body = whole(request, state).await?;
        // Without this an array would do, taken as the fields in their order.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(ApiError::invalid("body must be a JSON object"));
        }
        let value = serde_json::from_slice(&body);
        value.map(Self).map_err(|error| ApiError::invalid(format!("body is not the expected JSON: {error}")))
    }
}

/// A body as it is.
pub(crate) struct Bytes(pub(crate) BytesMut);

impl FromRequest<AppState> for Bytes {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        whole(request, state).await.map(Self)
    }
}

/// The query of an address, such as `?limit=10`.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        query.map(|query| Self(query.0)).map_err(|refused| {
            let cause = refused.source().map_or_else(|| refused.to_string(), ToString::to_string);
            ApiError::invalid(format!("query cannot be read: {cause}; correct it or leave it out"))
        })
    }
}

/// The variable parts of a path.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        let text = "path cannot be read; what follows each `%` must be the bytes of UTF-8 text";
        path.map(|path| Self(path.0)).map_err(|_| ApiError::invalid(text))
    }
}

/// Reads a body within its bounds. It gets as much time as a head.
async fn whole(request: Request, state: &AppState) -> Result<BytesMut, ApiError> {
    let http = &state.parts.config.http;
    let whole = read(request.into_body(), http.body_bytes);
    let body = clock::timeout(state.parts.clock.as_ref(), http.header_timeout, whole).await;
    body.map_err(|_| {
        let text = "the body took too long to arrive; send it again";
        ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", text)
    })?
}

async fn read(body: Body, most: usize) -> Result<BytesMut, ApiError> {
    let mut stream = body.into_data_stream();
    let (mut kept, mut seen) = (BytesMut::new(), 0_usize);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| ApiError::invalid("body ended early; send it again"))?;
        seen = seen.saturating_add(chunk.len());
        if seen <= most {
            kept.extend_from_slice(&chunk);
        } else if seen > DISCARD_MAX {
            break;
        }
    }
    if seen > most {
        let text = format!("body is larger than {most} bytes; send less");
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", text));
    }
    Ok(kept)
}

/// Reads an id out of a path; what is none names nothing.
pub(crate) fn id<T: FromStr>(text: &str, what: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| ApiError::not_found(what))
}

/// Refuses a text with more than `most` characters.
pub(crate) fn at_most(field: &str, text: &str, most: usize) -> Result<(), ApiError> {
    if text.chars().count() > most {
        return Err(ApiError::invalid(format!("`{field}` must have at most {most} characters")));
    }
    Ok(())
}
