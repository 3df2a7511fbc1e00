//! Many devices that decide upon one suggestion at once, and the history of what they were told.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{people::Person, writers::Order};
use crate::{
    history::{Choice, Decision, SuggestionHistory, Told},
    model::Decide,
    record::Answer,
    rest::{Request, Rest},
};

/// When the reminders are due; any time will do.
const DUE: &str = "2030-01-06T09:00:00Z";

/// Somebody who decides.
#[derive(Clone, Debug)]
struct Decider {
    rest: Rest,
    token: Option<String>,
    device: String,
    is_strangers: bool,
    order: Order,
}

impl Decider {
    async fn decide(self, choice: Choice, suggestion: String) -> Decision {
        let (method, token) = (Method::POST, self.token.clone());
        let request = match choice {
            Choice::Confirm => {
                let body = json!({"title": "Look again", "reminder_time": DUE, "suggestion_id": suggestion});
                let path = "/api/reminders".to_owned();
                Request { method, path, token, body: Some(body), ..Request::default() }
            }
            Choice::Dismiss => {
                let path = format!("/api/suggestions/{suggestion}/dismiss");
                Request { method, path, token, ..Request::default() }
            }
        };
        let (answer, span) = self.order.timed(self.rest.call(request)).await;
        let told = answer.map_or(Told::Nothing, |answer| told(choice, &answer));
        Decision { device: self.device, is_strangers: self.is_strangers, choice, told, span }
    }
}

fn told(choice: Choice, answer: &Answer) -> Told {
    let named = |pointer: &str| answer.body.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
    match (answer.status, choice) {
        (200 | 201, Choice::Confirm) => named("/id").map_or(Told::Refused(answer.status), Told::Confirmed),
        (200 | 204, Choice::Dismiss) => Told::Dismissed,
        (409, Choice::Confirm) => Told::Used(named("/reminder_id")),
        (410, _) => Told::Gone,
        (500.., _) => Told::Nothing,
        (status, _) => Told::Refused(status),
    }
}

/// Who decides upon what, and in which order calls and answers come.
#[derive(Clone, Debug)]
pub(super) struct Matter {
    pub(super) own: Person,
    pub(super) stranger: Option<Person>,
    pub(super) suggestion: String,
    pub(super) order: Order,
}

impl Matter {
    fn decider(&self, device: String, is_strangers: bool) -> Option<Decider> {
        let person = if is_strangers { self.stranger.as_ref()? } else { &self.own };
        let (rest, token, order) = (person.rest.clone(), person.token.clone(), self.order.clone());
        Some(Decider { rest, token, device, is_strangers, order })
    }

    async fn list(&self, path: &str) -> Result<Vec<Value>, String> {
        let request = Request { path: path.to_owned(), token: self.own.token.clone(), ..Request::default() };
        let answer = self.own.rest.call(request).await?;
        match answer.body {
            Value::Array(list) if answer.status == 200 => Ok(list),
            body => Err(format!("`{}` answered {} {body}", answer.call, answer.status)),
        }
    }
}

/// Lets all decide at once, and adds what they were told and what is there at the end to the history.
pub(super) async fn decide(
    step: Decide,
    matter: Matter,
    mut history: SuggestionHistory,
) -> Result<SuggestionHistory, String> {
    let first = history.decisions.len();
    let mut deciding = JoinSet::new();
    for n in 0..step.confirm.max(step.dismiss) {
        let device = |kind: &str| format!("{kind} {}", first + usize::from(n));
        let choices = [
            (Choice::Confirm, n < step.confirm, matter.decider(device("device"), false)),
            (Choice::Dismiss, n < step.dismiss, matter.decider(device("device"), false)),
            (Choice::Confirm, n < step.confirm, matter.decider(device("stranger"), true)),
        ];
        for (choice, _, decider) in choices.into_iter().filter(|(_, is_asked, _)| *is_asked) {
            if let Some(decider) = decider {
                deciding.spawn(decider.decide(choice, matter.suggestion.clone()));
            }
        }
    }
    history.decisions.extend(deciding.join_all().await);
    let reminders = matter.list("/api/reminders").await?;
    let is_of_it = |reminder: &&Value| reminder["suggestion_id"] == *matter.suggestion;
    let id = |entry: &Value| entry["id"].as_str().map(ToOwned::to_owned);
    history.reminders = reminders.iter().filter(is_of_it).filter_map(id).collect();
    history.is_offered = matter.list("/api/suggestions").await?.iter().any(|s| s["id"] == *matter.suggestion);
    Ok(history)
}

/// Calls the reminders by numbers, in the order in which they were heard of: their ids differ from run to run.
pub(super) fn numbered(mut history: SuggestionHistory) -> SuggestionHistory {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut name = |id: &mut String| {
        let next = format!("reminder {}", names.len() + 1);
        names.entry(id.clone()).or_insert(next).clone_into(id);
    };
    for decision in &mut history.decisions {
        if let Told::Confirmed(id) | Told::Used(Some(id)) = &mut decision.told {
            name(id);
        }
    }
    history.reminders.iter_mut().for_each(name);
    history
}
