//! `/api/users/me/preferences`: what users choose about their calendar.
//!
//! Each version has an `ETag`; `"0"` are the defaults of who has chosen nothing. A `PUT` needs the header `If-Match`
//! (428 without it): with the tag that was read it is done only over that version (412 over another), with `*` over
//! whatever is stored (412 if another write comes in between). An absent field stays as it is.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::input;
use crate::{
    app::guard::CurrentUser,
    error::ApiError,
    state::Rows,
    storage::{Choices, DayTime, Preferences, PreferencesOutcome, PreferencesWrite, QuietHours, Zone},
};

/// Choices as shown to their user, with the tag of their version.
type Shown = ([(HeaderName, HeaderValue); 1], Json<PreferencesView>);

#[derive(Serialize)]
pub(crate) struct PreferencesView {
    time_zone: Zone,
    default_reminder_time: DayTime,
    auto_create_low_priority: bool,
    require_confirm_for_urgent: bool,
    enable_smart_scheduling: bool,
    /// `null` where no hours are quiet.
    quiet_hours: Option<QuietHours>,
}

/// What is to change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    time_zone: Option<String>,
    default_reminder_time: Option<String>,
    auto_create_low_priority: Option<bool>,
    require_confirm_for_urgent: Option<bool>,
    enable_smart_scheduling: Option<bool>,
    /// `null` for none, absent for as they are.
    #[serde(default, deserialize_with = "present")]
    quiet_hours: Option<Value>,
}

/// `GET /api/users/me/preferences`
pub(crate) async fn read(
    State(rows): State<Rows>,
    CurrentUser(user): CurrentUser,
) -> Result<Shown, ApiError> {
    Ok(shown(rows.storage.preferences(user.id).await?))
}

/// `PUT /api/users/me/preferences`
pub(crate) async fn write(
    State(rows): State<Rows>,
    CurrentUser(user): CurrentUser,
    headers: HeaderMap,
    input::Json(change): input::Json<Change>,
) -> Result<Shown, ApiError> {
    let expected = expected(&headers)?;
    let stored = rows.storage.preferences(user.id).await?;
    let choices = change.over(stored.choices)?;
    // Over any version, but not over a write between this read and this write.
    let expected = expected.or(Some(stored.version));
    let write = PreferencesWrite { user: user.id, choices, expected, at: rows.clock.wall() };
    match rows.storage.write_preferences(write).await? {
        PreferencesOutcome::Written(written) => Ok(shown(written)),
        PreferencesOutcome::Stale(stored) => Err(stale(&stored)),
    }
}

impl Change {
    fn over(self, stored: Choices) -> Result<Choices, ApiError> {
        let quiet = match self.quiet_hours {
            None => stored.quiet,
            Some(Value::Null) => None,
            Some(hours) => Some(quiet_hours(&hours)?),
        };
        Ok(Choices {
            time_zone: parsed("time_zone", self.time_zone, stored.time_zone)?,
            default_time: parsed("default_reminder_time", self.default_reminder_time, stored.default_time)?,
            auto_create_low_priority: self
                .auto_create_low_priority
                .unwrap_or(stored.auto_create_low_priority),
            require_confirm_for_urgent: self
                .require_confirm_for_urgent
                .unwrap_or(stored.require_confirm_for_urgent),
            smart_scheduling: self.enable_smart_scheduling.unwrap_or(stored.smart_scheduling),
            quiet,
        })
    }
}

fn quiet_hours(hours: &Value) -> Result<QuietHours, ApiError> {
    let end = |name: &'static str| -> Result<DayTime, ApiError> {
        let text = hours[name].as_str().unwrap_or_default();
        text.parse().map_err(|problem: String| wrong(name, &problem))
    };
    Ok(QuietHours { from: end("from")?, to: end("to")? })
}

/// Reads a field that is given, and leaves one that is not.
fn parsed<T: std::str::FromStr<Err = String>>(
    field: &str,
    given: Option<String>,
    stored: T,
) -> Result<T, ApiError> {
    given.map_or(Ok(stored), |text| text.parse().map_err(|problem: String| wrong(field, &problem)))
}

fn wrong(field: &str, problem: &str) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_preference", format!("`{field}`: {problem}"))
}

/// Tells `null` from absent.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Reads which version is written over; `None` for any.
fn expected(headers: &HeaderMap) -> Result<Option<i64>, ApiError> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        let text = "the header `If-Match` is needed; send the `ETag` that you have read, or `*` to write over whatever is stored";
        return Err(ApiError::new(StatusCode::PRECONDITION_REQUIRED, "precondition_required", text));
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let tag = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).and_then(|tag| tag.parse().ok());
    tag.map(Some).ok_or_else(|| {
        ApiError::invalid("`If-Match` must be an `ETag` of these preferences, such as `\"3\"`, or `*`")
    })
}

fn stale(stored: &Preferences) -> ApiError {
    let text = "other preferences are stored by now; read them, and send your change with their `ETag`";
    ApiError::new(StatusCode::PRECONDITION_FAILED, "version_conflict", text).field("etag", tag(stored))
}

fn tag(preferences: &Preferences) -> String {
    format!("\"{}\"", preferences.version)
}

fn shown(preferences: Preferences) -> Shown {
    let tag = HeaderValue::from_str(&tag(&preferences)).unwrap_or(HeaderValue::from_static("\"0\""));
    let choices = preferences.choices;
    let view = PreferencesView {
        time_zone: choices.time_zone,
        default_reminder_time: choices.default_time,
        auto_create_low_priority: choices.auto_create_low_priority,
        require_confirm_for_urgent: choices.require_confirm_for_urgent,
        enable_smart_scheduling: choices.smart_scheduling,
        quiet_hours: choices.quiet,
    };
    ([(header::ETAG, tag)], Json(view))
}
