//! `/api/reminders`: calendar entries, which only their user makes.
//!
//! The AI never creates entries: a suggestion of the chat becomes a reminder by `POST` with its `suggestion_id`, from
//! the user, and by nothing else; the one exception is what users let be made of low priority, in their preferences.
//! An appointment, and what is urgent, needs `confirmed_time`: the time as the user saw and confirmed it.
//!
//! A `POST` with an `Idempotency-Key` can be sent again ([`repeat`]); what is deleted can be brought back
//! ([`undo`]). A reminder of somebody else is treated as none at all. The offset from UTC that a time was given in is
//! kept: what was sent as `14:00+02:00` comes back as that.

mod repeat;
mod time;
mod undo;

use axum::{
    Json,
    extract::{FromRef, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::input;
use crate::{
    app::guard::CurrentUser,
    calendar::policy,
    chat::{Hub, v1::Fate},
    config,
    error::ApiError,
    ids::{ReminderId, SuggestionId, UserId},
    state::{AppState, Rows},
    storage::{
        NewReminder, Origin, Priority, Reminder, ReminderChange, ReminderOutcome, Request, SharedStorage,
        TimeRule,
    },
};
pub(crate) use repeat::Running;
pub(crate) use undo::{restore, roll_back};

const WHAT: &str = "reminder";

/// Longest title, in characters.
const TITLE_MAX: usize = 255;

/// Longest description, in characters.
const DESCRIPTION_MAX: usize = 4000;

/// A reminder to be made.
#[derive(Deserialize, Serialize)]
pub(crate) struct Creation {
    title: String,
    #[serde(default)]
    description: Option<String>,
    reminder_time: String,
    #[serde(default)]
    suggestion_id: Option<String>,
    /// The time that the user has confirmed; the same moment as `reminder_time`.
    #[serde(default)]
    confirmed_time: Option<String>,
    #[serde(default)]
    priority: Option<Priority>,
}

/// What is to change in a reminder; an absent field stays.
#[derive(Deserialize)]
pub(crate) struct Change {
    title: Option<String>,
    description: Option<String>,
    reminder_time: Option<String>,
    is_completed: Option<bool>,
    priority: Option<Priority>,
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
    priority: Priority,
    /// `policy` where the server made it, by the user's standing wish.
    origin: Origin,
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

/// What reminders are made with.
#[derive(Clone)]
pub(crate) struct Desk {
    hub: Hub,
    rows: Rows,
    settings: config::Calendar,
    running: Running,
}

impl FromRef<AppState> for Desk {
    fn from_ref(state: &AppState) -> Self {
        Self {
            hub: state.hub.clone(),
            rows: Rows::from_ref(state),
            settings: state.parts.config.calendar.clone(),
            running: state.running.clone(),
        }
    }
}

/// `POST /api/reminders`
pub(crate) async fn create(
    State(desk): State<Desk>,
    CurrentUser(user): CurrentUser,
    headers: HeaderMap,
    input::Json(form): input::Json<Creation>,
) -> Result<Response, ApiError> {
    let key = repeat::key(&headers)?;
    let _running = key.as_ref().map(|key| desk.running.begin(user.id, key)).transpose()?;
    let at = desk.rows.clock.wall();
    let kept_since = at.saturating_sub(desk.settings.reply_life).unwrap_or(Timestamp::MIN);
    let request = key.map(|key| Request { key, fingerprint: repeat::fingerprint(&form), kept_since, reply });
    let unconfirmed = if confirmed(&form)? || form.suggestion_id.is_none() {
        None
    } else {
        Some(policy::time_rule(&desk.rows.storage.preferences(user.id).await?.choices))
    };
    let asked = Asked { user: user.id, unconfirmed, request, at };
    let created = desk.rows.storage.create_reminder(asked.for_reminder(form)?).await?;
    if let ReminderOutcome::Created(Reminder { suggestion: Some(suggestion), .. }) = &created {
        desk.hub.decided(user.id, *suggestion, Fate::Confirmed);
    }
    outcome(created)
}

/// By whom and how a reminder is asked for.
struct Asked {
    user: UserId,
    unconfirmed: Option<TimeRule>,
    request: Option<Request>,
    at: Timestamp,
}

impl Asked {
    fn for_reminder(self, form: Creation) -> Result<NewReminder, ApiError> {
        let description = form.description.unwrap_or_default();
        check_texts(Some(&form.title), Some(&description))?;
        let (time, offset_minutes) = time::read("reminder_time", &form.reminder_time)?;
        let suggestion = form.suggestion_id.map(|id| input::id(&id, "suggestion")).transpose()?;
        Ok(NewReminder {
            id: ReminderId::random(),
            user: self.user,
            title: form.title,
            description,
            time,
            offset_minutes,
            priority: form.priority,
            origin: Origin::User,
            suggestion,
            unconfirmed: self.unconfirmed,
            request: self.request,
            at: self.at,
        })
    }
}

/// Returns whether the user has confirmed the time; another one than that of the reminder is a mistake.
fn confirmed(form: &Creation) -> Result<bool, ApiError> {
    let Some(confirmed) = &form.confirmed_time else { return Ok(false) };
    let (confirmed, _) = time::read("confirmed_time", confirmed)?;
    let (meant, _) = time::read("reminder_time", &form.reminder_time)?;
    if confirmed == meant {
        return Ok(true);
    }
    let text = "`confirmed_time` and `reminder_time` are different moments; show the time to the user, and send what was confirmed as both";
    Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "time_not_confirmed", text))
}

fn reply(reminder: &Reminder) -> String {
    serde_json::to_string(&ReminderView::from(reminder.clone())).unwrap_or_default()
}

fn outcome(outcome: ReminderOutcome) -> Result<Response, ApiError> {
    let made = |reply: String| (StatusCode::CREATED, [(header::CONTENT_TYPE, "application/json")], reply);
    Err(match outcome {
        ReminderOutcome::Created(reminder) => return Ok(made(reply(&reminder)).into_response()),
        ReminderOutcome::Repeated(reply) => return Ok(([repeat::REPLAYED], made(reply)).into_response()),
        ReminderOutcome::UnknownSuggestion => ApiError::not_found("suggestion"),
        ReminderOutcome::ExpiredSuggestion => ApiError::new(
            StatusCode::GONE,
            "suggestion_expired",
            "this suggestion is no longer open; ask in the chat again for a new one, or create the reminder without it",
        ),
        ReminderOutcome::UsedSuggestion(existing) => ApiError::new(
            StatusCode::CONFLICT,
            "suggestion_used",
            "this suggestion was confirmed before; its reminder is named in `reminder_id`",
        )
        .field("reminder_id", existing),
        ReminderOutcome::UnconfirmedTime => ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "time_not_confirmed",
            "this entry needs a time that the user has confirmed; show the time, and send it as `confirmed_time` too",
        ),
        ReminderOutcome::OtherRequest => repeat::other_request(),
    })
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
        time: form.reminder_time.as_deref().map(|text| time::read("reminder_time", text)).transpose()?,
        is_completed: form.is_completed,
        priority: form.priority,
        at: rows.clock.wall(),
    };
    let changed = rows.storage.update_reminder(change).await?;
    changed.map(|reminder| Json(reminder.into())).ok_or_else(|| ApiError::not_found(WHAT))
}

/// `DELETE /api/reminders/{id}`
pub(crate) async fn delete(
    State(rows): State<Rows>,
    CurrentUser(user): CurrentUser,
    input::Path(id): input::Path<String>,
) -> Result<Json<Value>, ApiError> {
    if !rows.storage.delete_reminder(user.id, input::id(&id, WHAT)?, rows.clock.wall()).await? {
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

impl From<Reminder> for ReminderView {
    fn from(reminder: Reminder) -> Self {
        Self {
            id: reminder.id,
            title: reminder.title,
            description: reminder.description,
            reminder_time: time::print(reminder.time, reminder.offset_minutes),
            is_completed: reminder.is_completed,
            priority: reminder.priority,
            origin: reminder.origin,
            suggestion_id: reminder.suggestion,
            created_at: reminder.created_at,
            updated_at: reminder.updated_at,
        }
    }
}
