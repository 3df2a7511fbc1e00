//! Suggestions, and the reminders that confirm them.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::{Caller, Defect, House, refusal};

/// What became of a suggestion.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    Confirmed(String),
    Dismissed,
}

struct Suggestion {
    person: usize,
    fate: Fate,
}

/// All suggestions and reminders.
#[derive(Default)]
pub(super) struct Calendar {
    suggestions: Vec<Suggestion>,
    /// Whose, and what.
    reminders: Vec<(usize, Value)>,
}

impl Calendar {
    /// Suggests something, and returns its id.
    pub(super) fn suggest(&mut self, person: usize) -> String {
        self.suggestions.push(Suggestion { person, fate: Fate::Open });
        format!("suggestion-{}", self.suggestions.len() - 1)
    }

    /// Finds a suggestion to be confirmed.
    fn offered(&mut self, person: usize, id: &str, defect: Defect) -> Option<&mut Suggestion> {
        if defect != Defect::AnybodyConfirms {
            return self.find(person, id);
        }
        (0..=person)
            .rev()
            .find(|owner| self.find(*owner, id).is_some())
            .and_then(|owner| self.find(owner, id))
    }

    fn find(&mut self, person: usize, id: &str) -> Option<&mut Suggestion> {
        let number: usize = id.strip_prefix("suggestion-")?.parse().ok()?;
        self.suggestions.get_mut(number).filter(|suggestion| suggestion.person == person)
    }
}

pub(super) async fn pending(State(house): State<House>, Caller(person): Caller) -> Response {
    let rooms = house.rooms();
    let all = rooms.calendar.suggestions.iter().enumerate();
    let open = all.filter(|(_, suggestion)| suggestion.person == person && suggestion.fate == Fate::Open);
    Json(open.map(|(n, _)| json!({"id": format!("suggestion-{n}")})).collect::<Vec<_>>()).into_response()
}

pub(super) async fn dismiss(
    State(house): State<House>,
    Path(id): Path<String>,
    Caller(person): Caller,
) -> Response {
    let mut rooms = house.rooms();
    match rooms.calendar.find(person, &id).filter(|suggestion| suggestion.fate == Fate::Open) {
        Some(suggestion) => {
            suggestion.fate = Fate::Dismissed;
            Json(json!({"message": "dismissed"})).into_response()
        }
        None => refusal(StatusCode::NOT_FOUND, json!({"error": "no open suggestion"})),
    }
}

pub(super) async fn list(State(house): State<House>, Caller(person): Caller) -> Response {
    let rooms = house.rooms();
    let own = rooms.calendar.reminders.iter().filter(|(owner, _)| *owner == person);
    Json(own.map(|(_, reminder)| reminder.clone()).collect::<Vec<_>>()).into_response()
}

pub(super) async fn create(
    State(house): State<House>,
    Caller(person): Caller,
    Json(form): Json<Value>,
) -> Response {
    let calendar = &mut house.rooms().calendar;
    let id = format!("reminder-{}", calendar.reminders.len());
    if let Some(suggestion) = form["suggestion_id"].as_str() {
        let Some(suggestion) = calendar.offered(person, suggestion, house.defect) else {
            return refusal(StatusCode::NOT_FOUND, json!({"error": "no such suggestion"}));
        };
        match &suggestion.fate {
            Fate::Confirmed(reminder) if house.defect != Defect::ConfirmsTwice => {
                return refusal(StatusCode::CONFLICT, json!({"error": "used", "reminder_id": reminder}));
            }
            Fate::Dismissed if house.defect != Defect::ForgetsDismissals => {
                return refusal(StatusCode::GONE, json!({"error": "dismissed"}));
            }
            _ => suggestion.fate = Fate::Confirmed(id.clone()),
        }
    }
    let reminder = json!({"id": id, "title": form["title"], "suggestion_id": form["suggestion_id"]});
    if house.defect != Defect::LosesReminders {
        calendar.reminders.push((person, reminder.clone()));
    }
    (StatusCode::CREATED, Json(reminder)).into_response()
}
