//! `/api/users/me/consents`: what a user is asked, agrees to, and takes back.

use axum::{Json, extract::State, http::StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::input;
use crate::{
    app::guard::CurrentUser,
    consent::{ConsentError, Consents, hash, is_in_force},
    error::ApiError,
    storage::{Consent, Purpose, User},
};

/// A purpose with the words in force, and whether its user agrees.
#[derive(Serialize)]
pub(crate) struct ConsentView {
    purpose: Purpose,
    /// Whether something is not done without it.
    required: bool,
    version: u32,
    language: String,
    text: String,
    /// What a consent names the words by.
    shown: String,
    given: bool,
    /// Of the last consent, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    given_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawn_at: Option<Timestamp>,
}

/// A purpose with the proof of every consent.
#[derive(Serialize)]
pub(crate) struct ConsentHistory {
    #[serde(flatten)]
    now: ConsentView,
    /// Oldest first.
    history: Vec<Proof>,
}

/// A consent as it was given.
#[derive(Serialize)]
struct Proof {
    version: u32,
    language: String,
    text: String,
    shown: String,
    given_at: Timestamp,
    withdrawn_at: Option<Timestamp>,
}

/// A consent to be given.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Agreement {
    shown: String,
}

/// `GET /api/users/me/consents`
pub(crate) async fn list(
    State(consents): State<Consents>,
    CurrentUser(user): CurrentUser,
) -> Result<Json<Vec<ConsentView>>, ApiError> {
    let mut views = Vec::new();
    for purpose in Purpose::ALL {
        let newest = consents.newest(user.id, purpose).await?;
        views.push(view(&consents, &user, (purpose, newest.as_ref())));
    }
    Ok(Json(views))
}

/// `GET /api/users/me/consents/{purpose}`
pub(crate) async fn read(
    State(consents): State<Consents>,
    CurrentUser(user): CurrentUser,
    input::Path(purpose): input::Path<String>,
) -> Result<Json<ConsentHistory>, ApiError> {
    let purpose = named(&purpose)?;
    let history = consents.history(user.id, purpose).await?;
    let now = view(&consents, &user, (purpose, history.last()));
    Ok(Json(ConsentHistory { now, history: history.into_iter().map(Proof::from).collect() }))
}

/// `PUT /api/users/me/consents/{purpose}`
pub(crate) async fn give(
    State(consents): State<Consents>,
    CurrentUser(user): CurrentUser,
    (input::Path(purpose), input::Json(agreement)): (input::Path<String>, input::Json<Agreement>),
) -> Result<Json<ConsentView>, ApiError> {
    let purpose = named(&purpose)?;
    let given = consents.give(&user, purpose, &agreement.shown).await?;
    tracing::info!(user = %user.id, purpose = purpose.name(), version = given.version, "consent given");
    Ok(Json(view(&consents, &user, (purpose, Some(&given)))))
}

/// `DELETE /api/users/me/consents/{purpose}`
pub(crate) async fn withdraw(
    State(consents): State<Consents>,
    CurrentUser(user): CurrentUser,
    input::Path(purpose): input::Path<String>,
) -> Result<Json<ConsentView>, ApiError> {
    let purpose = named(&purpose)?;
    if consents.withdraw(user.id, purpose).await? {
        tracing::info!(user = %user.id, purpose = purpose.name(), "consent withdrawn");
    }
    let newest = consents.newest(user.id, purpose).await?;
    Ok(Json(view(&consents, &user, (purpose, newest.as_ref()))))
}

fn view(consents: &Consents, user: &User, (purpose, newest): (Purpose, Option<&Consent>)) -> ConsentView {
    let words = consents.words(user, purpose);
    ConsentView {
        purpose,
        required: consents.requires(purpose),
        version: purpose.version(),
        language: words.language,
        text: words.text,
        shown: words.shown,
        given: newest.is_some_and(is_in_force),
        given_at: newest.map(|newest| newest.given_at),
        withdrawn_at: newest.and_then(|newest| newest.withdrawn_at),
    }
}

fn named(name: &str) -> Result<Purpose, ApiError> {
    name.parse().map_err(|()| ApiError::not_found("purpose"))
}

impl From<Consent> for Proof {
    fn from(given: Consent) -> Self {
        Self {
            version: given.version,
            shown: hash(given.purpose, given.version, (&given.language, &given.text)),
            language: given.language,
            text: given.text,
            given_at: given.given_at,
            withdrawn_at: given.withdrawn_at,
        }
    }
}

impl From<ConsentError> for ApiError {
    fn from(error: ConsentError) -> Self {
        match error {
            ConsentError::OtherWords => {
                let text = "`shown` names other words than those in force; read them again, show them, and send \
                    the `shown` that came with them";
                Self::new(StatusCode::CONFLICT, "consent_words_changed", text)
            }
            ConsentError::Storage(error) => error.into(),
        }
    }
}
