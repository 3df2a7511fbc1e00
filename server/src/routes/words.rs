//! `/api/admin/languages/{code}/symptom-words`: what users call a symptom, beside the compiled lists.
//!
//! A change is in force like one of languages: here when it is answered, on all other replicas a second later.

use axum::{extract::State, http::StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::{input, texts::known};
use crate::{
    app::guard::Admin,
    classify::{WordError, check_symptom},
    error::ApiError,
    languages::Watch,
    storage::{SharedStorage, SymptomWord},
};

/// A word, after it was added.
#[derive(Serialize)]
pub(crate) struct WordView {
    /// As it is stored.
    word: String,
    /// The form in which it is looked for.
    folded: String,
    /// Why it is not in force yet, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// `GET /api/admin/languages/{code}/symptom-words`
pub(crate) async fn list(
    _: Admin,
    State(watch): State<Watch>,
    State(storage): State<SharedStorage>,
    input::Path(code): input::Path<String>,
) -> Result<axum::Json<Value>, ApiError> {
    watch.fresh().await;
    known(&watch, &code)?;
    let words = storage.symptom_words().await?;
    let own = words.into_iter().filter(|word| word.language == code).map(|word| word.word);
    Ok(axum::Json(json!({"words": own.collect::<Vec<_>>()})))
}

/// `PUT /api/admin/languages/{code}/symptom-words/{word}`: 201, or 200 where it is there already.
pub(crate) async fn add(
    Admin(admin): Admin,
    State(watch): State<Watch>,
    State(storage): State<SharedStorage>,
    input::Path((code, word)): input::Path<(String, String)>,
) -> Result<(StatusCode, axum::Json<WordView>), ApiError> {
    watch.fresh().await;
    known(&watch, &code)?;
    let (folded, word) = (check_symptom(&word)?, word.trim().to_owned());
    let new = SymptomWord { language: code, folded: folded.clone(), word: word.clone() };
    let status = if storage.add_symptom_word(new.clone()).await? {
        tracing::info!(admin = %admin.id, language = new.language, word, "word of a symptom added");
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let problem = watch.reload().await.err().map(|error| error.to_string());
    Ok((status, axum::Json(WordView { word, folded, problem })))
}

/// `DELETE /api/admin/languages/{code}/symptom-words/{word}`, however the word is written.
pub(crate) async fn remove(
    Admin(admin): Admin,
    State(watch): State<Watch>,
    State(storage): State<SharedStorage>,
    input::Path((code, word)): input::Path<(String, String)>,
) -> Result<axum::Json<Value>, ApiError> {
    watch.fresh().await;
    known(&watch, &code)?;
    if !storage.remove_symptom_word(&code, &crate::words::folded(&word)).await? {
        return Err(ApiError::not_found("word"));
    }
    tracing::info!(admin = %admin.id, language = code, word, "word of a symptom removed");
    let problem = watch.reload().await.err().map(|error| error.to_string());
    let mut removed = json!({"message": "word removed"});
    if let Some(problem) = problem {
        removed["problem"] = json!(problem);
    }
    Ok(axum::Json(removed))
}

impl From<WordError> for ApiError {
    fn from(error: WordError) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_word", error.to_string())
    }
}
