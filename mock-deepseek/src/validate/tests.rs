//! One row per rule, in the words of the API (DEEPSEEK A2, A4, A7), for both profiles.

mod access;
mod completion;
mod conversation;
mod reading;
mod settings;
mod tools;

use serde_json::{Value, json};

use super::{Door, chat};
use crate::{notice::Notice, profile::ApiProfile};

const NOW: Door = Door { profile: ApiProfile::Current, beta: false };
const BETA: Door = Door { profile: ApiProfile::Current, beta: true };
const OLD: Door = Door { profile: ApiProfile::Y2025, beta: false };

/// A request of the profile's usual model with these fields set; `null` takes one away.
fn body(door: Door, changes: &Value) -> Vec<u8> {
    let model = if door.profile == ApiProfile::Current { "deepseek-flash" } else { "deepseek-chat" };
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
            value => body[name] = value.clone(),
        }
    }
    serde_json::to_vec(&body).unwrap()
}

/// Returns status and message of a refusal, or 200.
fn outcome(result: Result<(), Notice>) -> (u16, String) {
    let Err(notice) = result else { return (200, String::new()) };
    let body = notice.body(None);
    match serde_json::from_str::<Value>(&body) {
        Err(_) => (notice.status, format!("text: {body}")),
        Ok(json) => {
            let error = &json["error"];
            assert_eq!((&error["param"], &error["code"]), (&Value::Null, &json!("invalid_request_error")));
            assert_eq!(error["type"], "invalid_request_error");
            (notice.status, error["message"].as_str().unwrap().to_owned())
        }
    }
}

fn chat_outcome(door: Door, changes: &Value) -> (u16, String) {
    outcome(chat(&body(door, changes), door).map(drop))
}

fn table(rows: &[(Door, Value, u16, &str)]) {
    for (door, changes, status, message) in rows {
        let expected = (*status, (*message).to_owned());
        assert_eq!(without_column(chat_outcome(*door, changes)), expected, "{changes}");
    }
}

/// Takes away the number after `column`; the rows would otherwise have to count their letters.
fn without_column((status, mut message): (u16, String)) -> (u16, String) {
    if let Some(place) = message.find(" column ") {
        assert!(message[place + 8..].parse::<usize>().unwrap() > 0, "{message}");
        message.truncate(place + 7);
    }
    (status, message)
}
