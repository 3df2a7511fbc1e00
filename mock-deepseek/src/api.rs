//! The surface of the API: which path answers what.
//!
//! Invariant: every request gets an answer in DeepSeek's own words, also one that is wrong; the only
//! words of the mock's own are those about its `x-mock-fault` header and name suffixes.

use std::sync::Arc;

use serde_json::json;

use crate::{
    answer::Answer,
    cache::PromptCache,
    draft::Draft,
    exchange::Carried,
    facts::Facts,
    fault::{Fault, FaultError},
    files::{Asked, Files},
    headers::{Credentials, Headers},
    notice::Notice,
    plan::Plan,
    profile::ApiProfile,
    render::{self, Dialect, Stamp},
    request::{ChatRequest, CompletionRequest, MessagesRequest, ResponsesRequest},
    select::Selector,
    state::Seat,
    upload::Upload,
    validate::{self, Door},
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
    /// Counts the requests on the connection from 1.
    pub(crate) socket_nth: u64,
    /// The form that came instead of a body.
    pub(crate) upload: Option<&'a Upload>,
}

#[cfg(test)]
impl<'a> Request<'a> {
    /// Makes a request that came over a socket as its first.
    pub(crate) fn post(
        path: &'a str,
        (headers, credentials): (&'a Headers, &'a Credentials),
        body: &'a [u8],
    ) -> Self {
        let carried = Carried::default();
        Self { method: "POST", path, headers, credentials, body, carried, socket_nth: 1, upload: None }
    }
}

/// What stands behind the API and remembers earlier requests.
#[derive(Debug)]
pub(crate) struct Behind<'a> {
    pub(crate) selector: &'a Selector,
    pub(crate) cache: &'a PromptCache,
    pub(crate) files: &'a Files,
    /// Faults that go before those of the script.
    pub(crate) ordered: Option<Arc<[Fault]>>,
}

/// What to answer, and why.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) answer: Answer,
    pub(crate) rule: Option<Arc<str>>,
    pub(crate) faults: Arc<[Fault]>,
    /// Held until the exchange ends.
    pub(crate) seat: Seat,
}

impl Planned {
    /// Plans an answer that is no reply of the model.
    pub(crate) fn plain(notice: &Notice, stamp: &Stamp) -> Self {
        Self::fixed(render::plain(notice, stamp), None)
    }

    /// Plans an answer that is there already, under the name of what has it.
    pub(crate) fn fixed(answer: Answer, rule: Option<&str>) -> Self {
        Self { answer, rule: rule.map(Into::into), faults: Arc::default(), seat: Seat::default() }
    }
}

/// What a path stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Chat,
    Completion,
    Messages,
    Responses,
    Models,
    Balance,
    Files,
    File,
}

impl Route {
    /// Returns the route of a path that this state of the API has.
    fn in_state(path: &str, profile: ApiProfile) -> Option<Self> {
        let is_new = |route: &Self| matches!(route, Self::Responses | Self::Files | Self::File);
        Self::of(path).filter(|route| profile == ApiProfile::Current || !is_new(route))
    }

    pub(crate) fn of(path: &str) -> Option<Self> {
        match path.split('?').next().unwrap_or_default() {
            "/chat/completions" | "/v1/chat/completions" | "/beta/chat/completions" => Some(Self::Chat),
            "/completions" | "/v1/completions" | "/beta/completions" => Some(Self::Completion),
            "/anthropic/v1/messages" | "/anthropic/messages" => Some(Self::Messages),
            "/responses" | "/v1/responses" => Some(Self::Responses),
            "/models" | "/v1/models" => Some(Self::Models),
            "/user/balance" => Some(Self::Balance),
            "/files" | "/v1/files" => Some(Self::Files),
            path => file_id(path).map(|_| Self::File),
        }
    }

    fn allows(self, method: &str) -> bool {
        match self {
            Self::Chat | Self::Completion | Self::Messages | Self::Responses => method == "POST",
            Self::Models | Self::Balance => method == "GET",
            Self::Files => method == "POST" || method == "GET",
            Self::File => method == "GET" || method == "DELETE",
        }
    }
}

/// Returns the file that a path names.
fn file_id(path: &str) -> Option<&str> {
    let id = path.strip_prefix("/v1").unwrap_or(path).strip_prefix("/files/")?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

/// Says whether the path takes uploads.
pub(crate) fn takes_files(path: &str) -> bool {
    Route::of(path) == Some(Route::Files)
}

/// Says whether the path asks the model for something.
pub(crate) fn is_chat(path: &str) -> bool {
    matches!(Route::of(path), Some(Route::Chat | Route::Completion | Route::Messages | Route::Responses))
}

/// Reads what a request asked of the model, whatever its form, without judging it; `None` when it cannot be read.
pub(crate) fn asked(path: &str, body: &[u8]) -> Option<ChatRequest> {
    let read = match Route::of(path)? {
        Route::Chat => serde_json::from_slice(body),
        Route::Completion => serde_json::from_slice(body).map(CompletionRequest::into_chat),
        Route::Messages => serde_json::from_slice(body)
            .map(|request: MessagesRequest| request.into_chat(ApiProfile::Current)),
        Route::Responses => {
            serde_json::from_slice(body).map(|request: ResponsesRequest| request.into_chat().0)
        }
        Route::Models | Route::Balance | Route::Files | Route::File => return None,
    };
    read.ok()
}

/// Decides the answer to a request. The script is asked only about one to the model that is valid.
pub(crate) fn decide(request: &Request<'_>, stamp: &Stamp, behind: &Behind<'_>) -> Planned {
    let plain = |notice| Planned::plain(&notice, stamp);
    match route(request, stamp.profile) {
        Err(notice) => plain(notice),
        Ok((Route::Models, _)) => plain(models(stamp.profile)),
        Ok((Route::Balance, _)) => plain(behind.selector.account().statement().unwrap_or_else(balance)),
        Ok((Route::Files | Route::File, key)) => plain(behind.files.answer(key, about_files(request), stamp)),
        Ok((route, key)) => ask(request, (route, key), stamp, behind).unwrap_or_else(plain),
    }
}

fn route<'a>(request: &'a Request<'_>, profile: ApiProfile) -> Result<(Route, &'a str), Notice> {
    let route = Route::in_state(request.path, profile).ok_or_else(|| Notice::no_such_path(request.path))?;
    if !route.allows(request.method) {
        return Err(Notice::wrong_method(request.method));
    }
    let key = match route {
        Route::Messages => validate::either_key(request.credentials, profile),
        _ => validate::key(request.credentials.authorization.as_deref(), profile),
    }?;
    Ok((route, key))
}

/// Reads what is asked of the model, and how it is to be told.
fn read(request: &Request<'_>, route: Route, profile: ApiProfile) -> Result<(ChatRequest, Dialect), Notice> {
    validate::content_type(request.headers.get("content-type"))?;
    let door = Door { profile, beta: request.path.starts_with("/beta/") };
    match route {
        Route::Completion => validate::completion(request.body, door),
        Route::Messages => validate::messages(request.body, door),
        Route::Responses => validate::responses(request.body, door),
        _ => validate::chat(request.body, door).map(|chat| {
            let dialect = chat.dialect();
            (chat, dialect)
        }),
    }
}

/// Asks the model: plans its reply, unless the account does not allow it.
fn ask(
    request: &Request<'_>,
    (route, key): (Route, &str),
    stamp: &Stamp,
    behind: &Behind<'_>,
) -> Result<Planned, Notice> {
    let (chat, dialect) = read(request, route, stamp.profile)?;
    let named = named_faults(request.headers.get(FAULT_HEADER), &chat.model, key)
        .map_err(|error| wrong_fault(&error))?;
    let mut seat = match behind.selector.account().admit() {
        Ok(seat) => seat,
        Err(refusal) => {
            return Ok(Planned::fixed(render::plain(&refusal.notice(), stamp), Some(refusal.rule())));
        }
    };
    let choice = behind.selector.choose(&Facts::new(&chat, request, key));
    let prompt = behind.cache.bill(&chat.resolved.prompt);
    let draft = Draft { prompt, ..Draft::new(&chat, dialect, &choice.reply, stamp.seed) };
    let faults = named.map(Into::into).or_else(|| behind.ordered.clone()).unwrap_or(choice.faults);
    let usage = draft.usage();
    let plan = Plan::new(draft, faults, choice.pacing).over(request.carried);
    let faults = Arc::clone(&plan.faults);
    let answer = plan.answer(stamp);
    if answer.head.as_ref().is_some_and(|head| head.status == 200) {
        seat.bill(&usage);
    }
    Ok(Planned { answer, rule: choice.rule, faults, seat })
}

/// Returns the faults that a request names itself, whatever it asks for; `None` when it names none.
pub(crate) fn faults_of(request: &Request<'_>) -> Result<Option<Vec<Fault>>, Notice> {
    let json = serde_json::from_slice::<serde_json::Value>(request.body).unwrap_or_default();
    let Credentials { authorization, api_key } = request.credentials;
    let bearer = authorization.as_deref().and_then(|value| value.split_once(' ')).map(|(_, key)| key);
    let key = bearer.or(api_key.as_deref()).unwrap_or_default();
    named_faults(request.headers.get(FAULT_HEADER), json["model"].as_str().unwrap_or_default(), key)
        .map_err(|error| wrong_fault(&error))
}

/// Returns the script's faults for a request whose reply does not come from the script.
pub(crate) fn scripted_faults(
    request: &Request<'_>,
    profile: ApiProfile,
    selector: &Selector,
) -> Arc<[Fault]> {
    let asked = route(request, profile).ok().filter(|_| is_chat(request.path));
    let read = asked.and_then(|(route, key)| Some((read(request, route, profile).ok()?.0, key)));
    match read {
        Some((chat, key)) => selector.choose(&Facts::new(&chat, request, key)).faults,
        // What this API would refuse was answered by another one.
        None => Arc::clone(selector.default_faults()),
    }
}

fn wrong_fault(error: &FaultError) -> Notice {
    Notice::invalid(&format!("mock-deepseek: {error}"))
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

/// Reads what is asked about files.
fn about_files<'a>(request: &'a Request<'_>) -> Asked<'a> {
    let (path, query) = request.path.split_once('?').unwrap_or((request.path, ""));
    match (file_id(path), request.method) {
        (Some(id), "DELETE") => Asked::Delete(id),
        (Some(id), _) => Asked::Get(id),
        (None, "POST") => Asked::Upload(request.upload),
        (None, _) => Asked::List(query),
    }
}

/// The models of DEEPSEEK A3.
fn models(profile: ApiProfile) -> Notice {
    let model = |id: &str| json!({"id": id, "object": "model", "owned_by": "deepseek"});
    let listed = profile.models().iter().filter(|model| model.listed);
    let data: Vec<_> = listed.map(|listed| model(listed.name)).collect();
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
