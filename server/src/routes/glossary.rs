//! `/api/admin/languages/{code}/glossary`: how medical terms are to be said, read as JSON, imported and exported as CSV.
//!
//! An import takes the place of the whole glossary of its language, or changes nothing. It is in force like a change of
//! languages: here when it is answered, on all other replicas a second later.

use axum::{
    Extension,
    extract::State,
    http::{HeaderName, StatusCode, header},
};
use serde_json::{Value, json};

use super::{input, texts::known};
use crate::{
    app::{guard::Admin, trail::Told},
    error::ApiError,
    glossary::{self, BadTable},
    languages::Watch,
    storage::{GlossaryTerm, SharedStorage, Stored},
};

/// `GET /api/admin/languages/{code}/glossary`
pub(crate) async fn list(
    _: Admin,
    State(watch): State<Watch>,
    State(storage): State<SharedStorage>,
    input::Path(code): input::Path<String>,
) -> Result<axum::Json<Value>, ApiError> {
    watch.fresh().await;
    known(&watch, &code)?;
    Ok(axum::Json(json!({"terms": terms(&storage, &code).await?})))
}

/// `GET /api/admin/languages/{code}/glossary.csv`
pub(crate) async fn export(
    _: Admin,
    State(watch): State<Watch>,
    State(storage): State<SharedStorage>,
    input::Path(code): input::Path<String>,
) -> Result<([(HeaderName, String); 2], String), ApiError> {
    watch.fresh().await;
    known(&watch, &code)?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"glossary-{code}.csv\"")),
    ];
    Ok((headers, glossary::write(&terms(&storage, &code).await?)))
}

/// `PUT /api/admin/languages/{code}/glossary.csv`: these terms in the place of all others.
pub(crate) async fn import(
    Admin(admin): Admin,
    State(watch): State<Watch>,
    State(storage): State<SharedStorage>,
    (input::Path(code), input::Bytes(table)): (input::Path<String>, input::Bytes),
) -> Result<(Extension<Told>, axum::Json<Value>), ApiError> {
    watch.fresh().await;
    known(&watch, &code)?;
    let terms = glossary::read(&table)?;
    storage.replace_glossary(&code, &terms).await?;
    tracing::info!(admin = %admin.id, language = code, terms = terms.len(), "glossary imported");
    let mut imported = json!({"terms": terms.len()});
    if let Err(problem) = watch.reload().await {
        imported["problem"] = json!(problem.to_string());
    }
    Ok((Extension(Told(format!("terms: {}", terms.len()))), axum::Json(imported)))
}

async fn terms(storage: &SharedStorage, code: &str) -> Stored<Vec<GlossaryTerm>> {
    let all = storage.glossary().await?;
    Ok(all.into_iter().filter(|(language, _)| language == code).map(|(_, term)| term).collect())
}

impl From<BadTable> for ApiError {
    fn from(error: BadTable) -> Self {
        let lines: Vec<_> =
            error.0.iter().map(|wrong| json!({"line": wrong.line, "problem": wrong.problem})).collect();
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_glossary", error.to_string()).field("lines", lines)
    }
}
