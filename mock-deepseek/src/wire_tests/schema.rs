//! The objects of the API as a strict reader takes them: every field is known, and none is missing.

mod chat;
mod text;

use serde::Deserialize;
use serde_json::Value;

pub(super) use chat::{Call, Finish, Function, Logprobs, Message, Role, Usage, chunk, completion};
pub(super) use text::text_completion;

/// A response, taken apart.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) status: u16,
    is_stream: bool,
    is_json: bool,
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Models {
    object: String,
    data: Vec<Model>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    id: String,
    object: String,
    owned_by: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Balance {
    is_available: bool,
    balance_infos: Vec<BalanceInfo>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BalanceInfo {
    currency: String,
    total_balance: String,
    granted_balance: String,
    topped_up_balance: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorBody {
    error: ErrorFields,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorFields {
    message: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(deserialize_with = "present")]
    param: Option<String>,
    code: String,
}

/// Takes `null`, but not a missing field.
fn present<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(field: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(field)
}

impl Body {
    /// Takes apart what a socket saw: head, chunks, body.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, rest) = text.split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        let text =
            if head.contains("transfer-encoding: chunked") { unchunked(rest) } else { rest.to_owned() };
        Self {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            is_stream: head.contains("text/event-stream"),
            is_json: head.contains("application/json"),
            text,
        }
    }

    /// Makes a body that did not come over a socket.
    pub(super) fn new(status: u16, is_stream: bool, text: String) -> Self {
        Self { status, is_stream, is_json: true, text }
    }

    /// Returns the JSON of each event; the stream must end with `[DONE]` and nothing after it.
    pub(super) fn events(&self) -> Vec<&str> {
        let events = self.text.strip_suffix("data: [DONE]\n\n").expect("the stream ends with [DONE]");
        let events = events.split_terminator("\n\n");
        events.map(|event| event.strip_prefix("data: ").unwrap()).collect()
    }
}

fn unchunked(mut rest: &str) -> String {
    let mut text = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            assert_eq!(after, "\r\n");
            return text;
        }
        text.push_str(&after[..size]);
        rest = after[size..].strip_prefix("\r\n").unwrap();
    }
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> T {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// Checks every object of the body, whichever it is.
pub(super) fn check(body: &Body) {
    if body.is_stream {
        for event in body.events() {
            match object(event).as_str() {
                "text_completion" => drop(text_completion(event)),
                _ => drop(chunk(event)),
            }
        }
    } else if body.is_json && body.status != 200 {
        let ErrorBody { error } = read(&body.text);
        assert!(!error.message.is_empty() && !error.kind.is_empty() && error.param.is_none());
        assert_eq!(error.code, "invalid_request_error");
    } else if body.is_json {
        whole(&body.text);
    }
}

fn whole(json: &str) {
    match object(json).as_str() {
        "chat.completion" => drop(completion(json)),
        "text_completion" => assert!(text_completion(json).usage.is_some()),
        "list" => {
            let Models { object, data } = read(json);
            assert!(object == "list" && !data.is_empty());
            let fine = |model: &Model| model.object == "model" && model.owned_by == "deepseek";
            assert!(data.iter().all(|model| fine(model) && model.id.starts_with("deepseek-")));
        }
        _ => {
            let Balance { is_available, balance_infos } = read(json);
            assert!(is_available && balance_infos.len() == 1);
            let amount = |text: &String| text.parse::<f64>().unwrap();
            for info in &balance_infos {
                assert!(["USD", "CNY"].contains(&info.currency.as_str()));
                let parts = amount(&info.granted_balance) + amount(&info.topped_up_balance);
                assert!((amount(&info.total_balance) - parts).abs() < 1e-9);
            }
        }
    }
}

fn object(json: &str) -> String {
    let value: Value = read(json);
    value["object"].as_str().unwrap_or_default().to_owned()
}
