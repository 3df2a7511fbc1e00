//! `/api/languages`, for everybody, and `/api/admin/languages`: what users may speak.
//!
//! A change is in force on this replica when it is answered, on all others after
//! [`AGE_MAX`](crate::languages::AGE_MAX). When a row of the table is broken, nothing new comes in force anywhere: the
//! answer and the list say so in `problem`.

use std::collections::BTreeMap;

use axum::{
    Extension,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::input;
use crate::{
    app::{guard::Admin, trail::Told},
    error::ApiError,
    languages::{CodeError, ENGLISH, LanguageCode, Watch, check_name, validate_language_code},
    llm::prompt,
    storage::{Language, LanguageChange, LanguageUse, SharedStorage},
    texts::{Mark, SOURCES},
};

/// A language as everybody may know it.
#[derive(Serialize)]
pub(crate) struct PublicView {
    code: String,
    name: String,
    native_name: String,
    /// Whether some of its texts may be in English.
    is_experimental: bool,
}

/// A language as administrators see it.
#[derive(Serialize)]
pub(crate) struct LanguageView {
    #[serde(flatten)]
    language: Language,
    /// Users who prefer it.
    user_count: u64,
    /// Messages that were handled in it.
    message_count: u64,
    /// How many texts are shown in English instead.
    missing_texts: usize,
    /// Who has read its texts; absent where there are none in a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<Mark>,
}

/// All languages.
#[derive(Serialize)]
pub(crate) struct ListView {
    languages: Vec<LanguageView>,
    /// Who has read what the model is told before every conversation, in all languages.
    prompt_review: Mark,
    /// Why the table as it is now is not in force; absent when it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// One language, after it was changed.
#[derive(Serialize)]
pub(crate) struct ChangedView {
    #[serde(flatten)]
    language: Language,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// A language to be added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLanguage {
    code: String,
    name: String,
    native_name: String,
    #[serde(default = "yes")]
    is_enabled: bool,
    #[serde(default = "yes")]
    is_experimental: bool,
}

/// What of a language is to change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    is_enabled: Option<bool>,
    is_experimental: Option<bool>,
}

const fn yes() -> bool {
    true
}

/// `GET /api/languages`: those that users may get.
pub(crate) async fn enabled(State(watch): State<Watch>) -> axum::Json<Vec<PublicView>> {
    watch.fresh().await;
    let set = watch.languages().set();
    let enabled = set.iter().filter(|language| language.is_enabled).cloned();
    axum::Json(enabled.map(PublicView::from).collect())
}

/// `GET /api/admin/languages`
pub(crate) async fn list(
    _: Admin,
    State(watch): State<Watch>,
    State(storage): State<SharedStorage>,
) -> Result<axum::Json<ListView>, ApiError> {
    watch.fresh().await;
    let used: BTreeMap<_, _> =
        storage.language_use().await?.into_iter().map(|used| (used.code.clone(), used)).collect();
    let set = watch.languages().set();
    let view = |language: &Language| LanguageView::new(language.clone(), used.get(&language.code), &watch);
    let languages = set.iter().map(view).collect();
    Ok(axum::Json(ListView {
        languages,
        prompt_review: prompt::REVIEW,
        problem: watch.languages().problem(),
    }))
}

/// `POST /api/admin/languages`
pub(crate) async fn add(
    Admin(admin): Admin,
    State(watch): State<Watch>,
    State(storage): State<SharedStorage>,
    input::Json(new): input::Json<NewLanguage>,
) -> Result<Response, ApiError> {
    let language = new.checked()?;
    english_stays(&language.code, !language.is_enabled || language.is_experimental)?;
    if !language.is_experimental {
        complete(&watch, &language.code).await?;
    }
    if !storage.add_language(language.clone()).await? {
        let text = format!(
            "language `{0}` already exists; change it with PUT /api/admin/languages/{0}",
            language.code
        );
        return Err(ApiError::new(StatusCode::CONFLICT, "language_exists", text));
    }
    tracing::info!(admin = %admin.id, code = language.code, "language added");
    let location = format!("/api/admin/languages/{}", language.code);
    let told = Extension(told(Some(language.is_enabled), Some(language.is_experimental)));
    let mut answer = (StatusCode::CREATED, told, in_force(&watch, language).await).into_response();
    if let Ok(location) = HeaderValue::try_from(location) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    Ok(answer)
}

/// `PUT /api/admin/languages/{code}`
pub(crate) async fn change(
    Admin(admin): Admin,
    State(watch): State<Watch>,
    State(storage): State<SharedStorage>,
    (input::Path(code), input::Json(change)): (input::Path<String>, input::Json<Change>),
) -> Result<(Extension<Told>, axum::Json<ChangedView>), ApiError> {
    let code = validate_language_code(&code)?.as_str().to_owned();
    if change.is_enabled.is_none() && change.is_experimental.is_none() {
        return Err(ApiError::invalid("nothing to change; send `is_enabled`, `is_experimental` or both"));
    }
    english_stays(&code, change.is_enabled == Some(false) || change.is_experimental == Some(true))?;
    if change.is_experimental == Some(false) {
        complete(&watch, &code).await?;
    }
    let Change { is_enabled, is_experimental } = change;
    let changed = LanguageChange { code, is_enabled, is_experimental };
    let language = storage.change_language(changed).await?.ok_or_else(|| ApiError::not_found("language"))?;
    tracing::info!(admin = %admin.id, code = language.code, ?is_enabled, ?is_experimental, "language changed");
    Ok((Extension(told(is_enabled, is_experimental)), in_force(&watch, language).await))
}

/// Says for the audit log what a language was made.
fn told(is_enabled: Option<bool>, is_experimental: Option<bool>) -> Told {
    let enabled = is_enabled.map(|is_enabled| if is_enabled { "enabled" } else { "disabled" });
    let stable =
        is_experimental.map(|is_experimental| if is_experimental { "experimental" } else { "stable" });
    Told(enabled.into_iter().chain(stable).collect::<Vec<_>>().join(", "))
}

/// Refuses to take English away, or to call it an experiment.
fn english_stays(code: &str, is_less: bool) -> Result<(), ApiError> {
    if code != ENGLISH || !is_less {
        return Ok(());
    }
    let text = "English is what every other language falls back to; it stays enabled and stable";
    Err(ApiError::new(StatusCode::CONFLICT, "english_stays", text))
}

/// Puts a change in force here, and tells if it could not be.
async fn in_force(watch: &Watch, language: Language) -> axum::Json<ChangedView> {
    let problem = watch.reload().await.err().map(|error| error.to_string());
    axum::Json(ChangedView { language, problem })
}

/// Refuses to call a language stable while users would read English in places.
async fn complete(watch: &Watch, code: &str) -> Result<(), ApiError> {
    watch.fresh().await;
    let missing = watch.languages().missing(code);
    if missing.is_empty() {
        return Ok(());
    }
    let text = format!(
        "language `{code}` lacks {} texts and cannot be stable; write them with \
         PUT /api/admin/languages/{code}/texts/KEY, or keep it experimental",
        missing.len()
    );
    let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "texts_missing", text);
    Err(error.field("missing", missing))
}

impl NewLanguage {
    fn checked(self) -> Result<Language, ApiError> {
        let code: LanguageCode = validate_language_code(&self.code)?;
        for (field, name) in [("name", &self.name), ("native_name", &self.native_name)] {
            check_name(name).map_err(|problem| {
                let text = format!("`{field}` {problem}");
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_language_name", text)
            })?;
        }
        Ok(Language {
            code: code.as_str().to_owned(),
            name: self.name.trim().to_owned(),
            native_name: self.native_name.trim().to_owned(),
            is_enabled: self.is_enabled,
            is_experimental: self.is_experimental,
        })
    }
}

impl LanguageView {
    fn new(language: Language, used: Option<&LanguageUse>, watch: &Watch) -> Self {
        let source = SOURCES.iter().find(|source| source.language == language.code);
        Self {
            user_count: used.map_or(0, |used| used.users),
            message_count: used.map_or(0, |used| used.messages),
            missing_texts: watch.languages().missing(&language.code).len(),
            review: source.map(|source| source.mark),
            language,
        }
    }
}

impl From<Language> for PublicView {
    fn from(language: Language) -> Self {
        let Language { code, name, native_name, is_experimental, .. } = language;
        Self { code, name, native_name, is_experimental }
    }
}

impl From<CodeError> for ApiError {
    fn from(error: CodeError) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_language_code", error.to_string())
    }
}
