//! The surface of the API: which path answers what.
//!
//! Invariant: every request gets an answer in DeepSeek's own words, also one that is wrong; the only
//! words of the mock's own are those about its `x-mock-fault` header and name suffixes.

use serde_json::json;

use crate::{
    answer::Answer,
    draft::Draft,
    exchange::Carried,
    fault::{Fault, FaultError},
    headers::{Credentials, Headers},
    notice::Notice,
    plan::Plan,
    render::{self, Stamp},
    request::ChatRequest,
    select::Choice,
    validate,
};

/// Names the faults of one request: ids separated by commas, parameters by semicolons.
pub(crate) const FAULT_HEADER: &str = "x-mock-fault";

/// A request that has arrived whole.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a Headers,
    pub(crate) credentials: &'a Credentials,
    pub(crate) body: &'a [u8],
    pub(crate) carried: Carried,
}

/// What to answer, and why.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) answer: Answer,
    pub(crate) rule: Option<String>,
    pub(crate) faults: Vec<Fault>,
}

/// What a path stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Chat,
    Models,
    Balance,
}

impl Route {
    fn of(path: &str) -> Option<Self> {
        match path.split('?').next().unwrap_or_default() {
            "/chat/completions" | "/v1/chat/completions" | "/beta/chat/completions" => Some(Self::Chat),
            "/models" | "/v1/models" => Some(Self::Models),
            "/user/balance" => Some(Self::Balance),
            _ => None,
        }
    }

    const fn method(self) -> &'static str {
        match self {
            Self::Chat => "POST",
            Self::Models | Self::Balance => "GET",
        }
    }
}

/// Says whether the path asks for chat completions.
pub(crate) fn is_chat(path: &str) -> bool {
    Route::of(path) == Some(Route::Chat)
}

/// Decides the answer to a request. `choose` is asked only about a chat request that is valid.
pub(crate) fn decide(
    request: &Request<'_>,
    stamp: &Stamp,
    choose: impl FnOnce(&ChatRequest) -> Choice,
) -> Planned {
    let plain = |notice| Planned { answer: render::plain(&notice, stamp), rule: None, faults: Vec::new() };
    match route(request) {
        Err(notice) => plain(notice),
        Ok((Route::Models, _)) => plain(models()),
        Ok((Route::Balance, _)) => plain(balance()),
        Ok((Route::Chat, key)) => chat(request, key, stamp, choose).unwrap_or_else(plain),
    }
}

fn route<'a>(request: &'a Request<'_>) -> Result<(Route, &'a str), Notice> {
    let route = Route::of(request.path).ok_or_else(|| Notice::no_such_path(request.path))?;
    if request.method != route.method() {
        return Err(Notice::wrong_method(request.method));
    }
    let key = validate::key(request.credentials.authorization.as_deref())?;
    Ok((route, key))
}

fn chat(
    request: &Request<'_>,
    key: &str,
    stamp: &Stamp,
    choose: impl FnOnce(&ChatRequest) -> Choice,
) -> Result<Planned, Notice> {
    validate::content_type(request.headers.get("content-type"))?;
    let chat = validate::chat(request.body)?;
    let named = named_faults(request.headers.get(FAULT_HEADER), &chat.model, key)
        .map_err(|error| Notice::invalid(&format!("mock-deepseek: {error}")))?;
    let choice = choose(&chat);
    let draft = Draft::new(&chat, chat.dialect(), &choice.reply, stamp.seed);
    let plan = Plan::new(draft, named.unwrap_or(choice.faults), choice.pace).over(request.carried);
    Ok(Planned { answer: plan.answer(stamp), rule: choice.rule, faults: plan.faults })
}

/// Returns the faults that the request itself names: by header, else behind the model, else behind the key.
fn named_faults(header: Option<&str>, model: &str, key: &str) -> Result<Option<Vec<Fault>>, FaultError> {
    let suffix = |name: &'_ str| name.split_once('+').map(|(_, faults)| faults.to_owned());
    match (header, suffix(model), suffix(key)) {
        (Some(list), _, _) => Fault::parse_list(list, ',').map(Some),
        (None, Some(list), _) | (None, None, Some(list)) => Fault::parse_list(&list, '+').map(Some),
        (None, None, None) => Ok(None),
    }
}

/// The models of DEEPSEEK A3.
fn models() -> Notice {
    let model = |id: &str| json!({"id": id, "object": "model", "owned_by": "deepseek"});
    let data = ["deepseek-flash", "deepseek-v4-flash", "deepseek-v4-pro"].map(model);
    Notice::ok(&json!({"object": "list", "data": data}))
}

fn balance() -> Notice {
    let info = json!({
        "currency": "USD", "total_balance": "10.00", "granted_balance": "0.00", "topped_up_balance": "10.00",
    });
    Notice::ok(&json!({"is_available": true, "balance_infos": [info]}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(header: Option<&str>, model: &str, key: &str) -> Option<Vec<&'static str>> {
        let faults = named_faults(header, model, key).unwrap()?;
        Some(faults.iter().map(Fault::id).collect())
    }

    #[test]
    fn a_header_goes_before_the_model_and_the_model_before_the_key() {
        assert_eq!(
            ids(Some("crlf, html-200"), "deepseek-flash+bom", "sk-a+stall"),
            Some(vec!["crlf", "html-200"])
        );
        assert_eq!(ids(None, "deepseek-flash+bom", "sk-a+stall"), Some(vec!["bom"]));
        assert_eq!(
            ids(None, "deepseek-flash", "sk-a+stall;after_events=1+crlf"),
            Some(vec!["stall", "crlf"])
        );
        assert_eq!(ids(None, "deepseek-flash", "sk-a"), None);
    }

    #[test]
    fn an_empty_header_means_no_fault_at_all() {
        assert_eq!(ids(Some(""), "deepseek-flash+bom", "sk-a"), Some(vec![]));
    }

    #[test]
    fn paths_are_known_with_and_without_version() {
        for path in ["/chat/completions", "/v1/chat/completions", "/beta/chat/completions?x=1"] {
            assert!(is_chat(path), "{path}");
        }
        assert!(!is_chat("/models"));
    }
}
