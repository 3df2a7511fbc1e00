//! `/api/reminders`: calendar entries, which only their user makes.
//!
//! A reminder of somebody else is treated as none at all. The offset from UTC that a time was given in is
//! kept: what was sent as `14:00+02:00` comes back as that.

use axum::{Json, extract::State, http::StatusCode};
use jiff::{Timestamp, fmt::temporal::Pieces, tz::Offset};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input;
use crate::{
    app::guard::CurrentUser,
    error::ApiError,
    ids::{ReminderId, SuggestionId},
    state::Rows,
    storage::{NewReminder, Reminder, ReminderChange, ReminderOutcome, SharedStorage},
};

const WHAT: &str = "reminder";

/// Longest title, in characters.
const TITLE_MAX: usize = 255;

/// Longest description, in characters.
const DESCRIPTION_MAX: usize = 4000;

/// Farthest offset from UTC, in seconds, that RFC 3339 can write: 23:59.
const OFFSET_MAX: i32 = (23 * 60 + 59) * 60;

/// Earliest time of a reminder: the first that RFC 3339 can write, 0000-01-01T00:00:00Z.
const TIME_MIN: Timestamp = Timestamp::constant(-62_167_219_200, 0);

/// Latest time of a reminder, 9999-12-30T22:00:00Z: what comes later is beyond year 9999 somewhere.
const TIME_MAX: Timestamp = Timestamp::constant(253_402_207_200, 0);

/// A reminder to be made.
#[derive(Deserialize)]
pub(crate) struct Creation {
    title: String,
    #[serde(default)]
    description: Option<String>,
    reminder_time: String,
    #[serde(default)]
    suggestion_id: Option<String>,
}

/// What is to change in a reminder; an absent field stays.
#[derive(Deserialize)]
pub(crate) struct Change {
    title: Option<String>,
    description: Option<String>,
    reminder_time: Option<String>,
    is_completed: Option<bool>,
}

/// A reminder as shown to its user.
#[derive(Serialize)]
pub(crate) struct ReminderView {
    id: ReminderId,
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    reminder_time: String,
    is_completed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion_id: Option<SuggestionId>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// `GET /api/reminders`
pub(crate) async fn list(
    State(storage): State<SharedStorage>,
    CurrentUser(user): CurrentUser,
) -> Result<Json<Vec<ReminderView>>, ApiError> {
    let reminders = storage.reminders(user.id).await?;
    Ok(Json(reminders.into_iter().map(ReminderView::from).collect()))
}

/// `POST /api/reminders`
pub(crate) async fn create(
    State(rows): State<Rows>,
    CurrentUser(user): CurrentUser,
    input::Json(form): input::Json<Creation>,
) -> Result<(StatusCode, Json<ReminderView>), ApiError> {
    let description = form.description.unwrap_or_default();
    check_texts(Some(&form.title), Some(&description))?;
    let (time, offset_minutes) = read_time(&form.reminder_time)?;
    let suggestion = form.suggestion_id.map(|id| input::id(&id, "suggestion")).transpose()?;
    let reminder = NewReminder {
        id: ReminderId::random(),
        user: user.id,
        title: form.title,
        description,
        time,
        offset_minutes,
        suggestion,
        at: rows.clock.wall(),
    };
    let created = outcome(rows.storage.create_reminder(reminder).await?)?;
    Ok((StatusCode::CREATED, Json(created.into())))
}

fn outcome(outcome: ReminderOutcome) -> Result<Reminder, ApiError> {
    match outcome {
        ReminderOutcome::Created(reminder) => Ok(reminder),
        ReminderOutcome::UnknownSuggestion => Err(ApiError::not_found("suggestion")),
        ReminderOutcome::ExpiredSuggestion => Err(ApiError::new(
            StatusCode::GONE,
            "suggestion_expired",
            "this suggestion is no longer open; ask in the chat again for a new one, or create the reminder without it",
        )),
        ReminderOutcome::UsedSuggestion(existing) => Err(ApiError::new(
            StatusCode::CONFLICT,
            "suggestion_used",
            "this suggestion was confirmed before; its reminder is named in `reminder_id`",
        )
        .field("reminder_id", existing)),
    }
}

/// `PUT /api/reminders/{id}`
pub(crate) async fn update(
    State(rows): State<Rows>,
    CurrentUser(user): CurrentUser,
    input::Path(id): input::Path<String>,
    input::Json(form): input::Json<Change>,
) -> Result<Json<ReminderView>, ApiError> {
    check_texts(form.title.as_deref(), form.description.as_deref())?;
    let change = ReminderChange {
        id: input::id(&id, WHAT)?,
        user: user.id,
        title: form.title,
        description: form.description,
        time: form.reminder_time.as_deref().map(read_time).transpose()?,
        is_completed: form.is_completed,
        at: rows.clock.wall(),
    };
    let changed = rows.storage.update_reminder(change).await?;
    changed.map(|reminder| Json(reminder.into())).ok_or_else(|| ApiError::not_found(WHAT))
}

/// `DELETE /api/reminders/{id}`
pub(crate) async fn delete(
    State(storage): State<SharedStorage>,
    CurrentUser(user): CurrentUser,
    input::Path(id): input::Path<String>,
) -> Result<Json<Value>, ApiError> {
    if !storage.delete_reminder(user.id, input::id(&id, WHAT)?).await? {
        return Err(ApiError::not_found(WHAT));
    }
    Ok(Json(json!({"message": "reminder deleted"})))
}

fn check_texts(title: Option<&str>, description: Option<&str>) -> Result<(), ApiError> {
    if title.is_some_and(|title| title.trim().is_empty()) {
        return Err(ApiError::invalid("`title` must not be empty"));
    }
    input::at_most("title", title.unwrap_or_default(), TITLE_MAX)?;
    input::at_most("description", description.unwrap_or_default(), DESCRIPTION_MAX)
}

fn read_time(text: &str) -> Result<(Timestamp, i32), ApiError> {
    parse_time(text).map_err(|allowed| {
        let text: String = text.chars().take(40).collect();
        ApiError::invalid(format!("`reminder_time` is `{text}`, {allowed}"))
    })
}

/// Reads a time with its offset, in minutes, or tells what would be one.
fn parse_time(text: &str) -> Result<(Timestamp, i32), String> {
    let malformed = || "expected RFC 3339 with an offset, such as `2026-03-01T14:00:00+02:00`".to_owned();
    let pieces = Pieces::parse(text).map_err(|_| malformed())?;
    let offset = pieces.to_numeric_offset().filter(|_| ends_in_offset(text)).ok_or_else(malformed)?;
    pieces.time().ok_or_else(malformed)?;
    if offset.seconds().abs() > OFFSET_MAX {
        return Err("allowed are offsets from `-23:59` to `+23:59`".to_owned());
    }
    let time = text.parse().ok().filter(|time| (TIME_MIN..=TIME_MAX).contains(time));
    let time = time.ok_or_else(|| format!("allowed is `{TIME_MIN}` to `{TIME_MAX}`"))?;
    Ok((time, offset.seconds() / 60))
}

/// Tells whether a text ends as RFC 3339 has it, in `Z` or `+hh:mm`.
fn ends_in_offset(text: &str) -> bool {
    let hours_and_minutes = text.as_bytes().last_chunk().is_some_and(|[sign, h1, h2, colon, m1, m2]| {
        matches!(sign, b'+' | b'-') && *colon == b':' && [h1, h2, m1, m2].iter().all(|d| d.is_ascii_digit())
    });
    hours_and_minutes || text.ends_with(['Z', 'z'])
}

fn print_time(time: Timestamp, offset_minutes: i32) -> String {
    match Offset::from_seconds(offset_minutes.saturating_mul(60)) {
        Ok(offset) if offset_minutes != 0 => time.display_with_offset(offset).to_string(),
        _ => time.to_string(),
    }
}

impl From<Reminder> for ReminderView {
    fn from(reminder: Reminder) -> Self {
        Self {
            id: reminder.id,
            title: reminder.title,
            description: reminder.description,
            reminder_time: print_time(reminder.time, reminder.offset_minutes),
            is_completed: reminder.is_completed,
            suggestion_id: reminder.suggestion,
            created_at: reminder.created_at,
            updated_at: reminder.updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_back_in_the_offset_it_was_given_in() {
        let texts = [
            "2026-03-01T14:00:00+02:00",
            "2026-03-01T14:00:00Z",
            "2026-03-01T14:00:00-03:30",
            "1969-12-31T23:59:59.5Z",
        ];

        for text in texts {
            let (time, offset) = parse_time(text).unwrap();
            assert_eq!(print_time(time, offset), text);
        }
    }

    #[test]
    fn a_time_without_offset_or_sense_is_refused() {
        for text in
            ["", "tomorrow", "2026-03-01", "2026-03-01T14:00:00", "2026-02-30T14:00:00Z", "1800000000"]
        {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_time_is_told() {
        let refusal = |text: &str| parse_time(text).expect_err(text);

        insta::assert_snapshot!(
            [
                "2026-03-01T14:00:00+25:00",
                "2026-03-01T14:00:00+02",
                "2026-03-01T14:00:00+02:00[Europe/Paris]",
                "9999-12-31T23:59:59Z",
                "-000001-12-31T23:59:59Z",
            ]
            .map(refusal)
            .join("\n"),
            @"
        allowed are offsets from `-23:59` to `+23:59`
        expected RFC 3339 with an offset, such as `2026-03-01T14:00:00+02:00`
        expected RFC 3339 with an offset, such as `2026-03-01T14:00:00+02:00`
        allowed is `0000-01-01T00:00:00Z` to `9999-12-30T22:00:00Z`
        allowed is `0000-01-01T00:00:00Z` to `9999-12-30T22:00:00Z`
        "
        );
    }
}
