//! The objects of the API as a strict reader takes them: every field is known, and none is missing.

use serde::Deserialize;
use serde_json::Value;

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
pub(super) struct Completion {
    id: String,
    object: String,
    created: u64,
    model: String,
    pub(super) choices: Vec<Choice>,
    pub(super) usage: Usage,
    system_fingerprint: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    index: u32,
    pub(super) message: Message,
    #[serde(deserialize_with = "present")]
    pub(super) logprobs: Option<Logprobs>,
    pub(super) finish_reason: Finish,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    pub(super) role: Role,
    #[serde(deserialize_with = "present")]
    pub(super) content: Option<String>,
    #[serde(default)]
    pub(super) reasoning_content: Option<String>,
    #[serde(default)]
    pub(super) tool_calls: Vec<Call>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    Assistant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Finish {
    Stop,
    Length,
    ContentFilter,
    ToolCalls,
    InsufficientSystemResource,
    Aborted,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    pub(super) index: usize,
    pub(super) id: String,
    #[serde(rename = "type")]
    kind: FunctionType,
    pub(super) function: Function,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FunctionType {
    Function,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) arguments: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Usage {
    prompt_tokens: u64,
    pub(super) completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    #[serde(default)]
    completion_tokens_details: Option<CompletionDetails>,
    prompt_cache_hit_tokens: u64,
    prompt_cache_miss_tokens: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct PromptDetails {
    cached_tokens: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Logprobs {
    #[serde(deserialize_with = "present")]
    pub(super) content: Option<Vec<Token>>,
    #[serde(deserialize_with = "present")]
    pub(super) reasoning_content: Option<Vec<Token>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    #[serde(flatten)]
    guess: Guess,
    top_logprobs: Vec<Guess>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Guess {
    token: String,
    logprob: f64,
    bytes: Vec<u8>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chunk {
    id: String,
    object: String,
    created: u64,
    model: String,
    system_fingerprint: String,
    pub(super) choices: Vec<Running>,
    #[serde(default)]
    pub(super) usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Running {
    index: u32,
    pub(super) delta: Delta,
    #[serde(deserialize_with = "present")]
    pub(super) logprobs: Option<Logprobs>,
    #[serde(deserialize_with = "present")]
    pub(super) finish_reason: Option<Finish>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Delta {
    #[serde(default)]
    pub(super) role: Option<Role>,
    #[serde(default)]
    pub(super) content: Option<String>,
    #[serde(default)]
    pub(super) reasoning_content: Option<String>,
    #[serde(default)]
    pub(super) tool_calls: Vec<CallDelta>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallDelta {
    pub(super) index: usize,
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<FunctionType>,
    pub(super) function: FunctionDelta,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FunctionDelta {
    #[serde(default)]
    pub(super) name: Option<String>,
    pub(super) arguments: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextCompletion {
    id: String,
    object: String,
    created: u64,
    model: String,
    pub(super) choices: Vec<TextChoice>,
    #[serde(default)]
    pub(super) usage: Option<Usage>,
    system_fingerprint: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextChoice {
    index: u32,
    pub(super) text: String,
    #[serde(deserialize_with = "present")]
    logprobs: Option<TextLogprobs>,
    #[serde(deserialize_with = "present")]
    pub(super) finish_reason: Option<Finish>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextLogprobs {
    text_offset: Vec<usize>,
    token_logprobs: Vec<f64>,
    tokens: Vec<String>,
    top_logprobs: Vec<serde_json::Map<String, Value>>,
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

/// Reads a chat chunk strictly.
pub(super) fn chunk(json: &str) -> Chunk {
    let chunk: Chunk = read(json);
    assert_eq!((chunk.object.as_str(), chunk.id.len()), ("chat.completion.chunk", 36), "{json}");
    assert!(chunk.created > 0 && !chunk.model.is_empty() && chunk.system_fingerprint.starts_with("fp_"));
    for choice in &chunk.choices {
        assert_eq!(choice.index, 0);
        choice.logprobs.iter().for_each(Logprobs::check);
        for call in &choice.delta.tool_calls {
            assert_eq!(call.id.is_some(), call.kind.is_some(), "{json}");
            assert_eq!(call.id.is_some(), call.function.name.is_some(), "{json}");
        }
    }
    chunk.usage.iter().for_each(Usage::check);
    chunk
}

/// Reads a whole chat reply strictly.
pub(super) fn completion(json: &str) -> Completion {
    let reply: Completion = read(json);
    assert_eq!((reply.object.as_str(), reply.id.len(), reply.choices.len()), ("chat.completion", 36, 1));
    assert!(reply.created > 0 && !reply.model.is_empty() && reply.system_fingerprint.starts_with("fp_"));
    assert_eq!(reply.choices[0].index, 0);
    reply.choices[0].logprobs.iter().for_each(Logprobs::check);
    reply.usage.check();
    reply
}

/// Reads a text reply, or a chunk of one, strictly.
pub(super) fn text_completion(json: &str) -> TextCompletion {
    let reply: TextCompletion = read(json);
    assert_eq!((reply.object.as_str(), reply.id.len()), ("text_completion", 36), "{json}");
    assert!(reply.created > 0 && !reply.model.is_empty() && reply.system_fingerprint.starts_with("fp_"));
    for choice in &reply.choices {
        assert_eq!(choice.index, 0);
        if let Some(logprobs) = &choice.logprobs {
            let count = logprobs.tokens.len();
            assert_eq!(logprobs.tokens.concat(), choice.text);
            assert_eq!((logprobs.text_offset.len(), logprobs.token_logprobs.len()), (count, count));
            assert_eq!(logprobs.top_logprobs.len(), count);
            assert!(logprobs.token_logprobs.iter().all(|value| value.is_finite() && *value < 0.0));
            assert!(logprobs.text_offset.is_sorted());
        }
    }
    reply.usage.iter().for_each(Usage::check);
    reply
}

impl Usage {
    fn check(&self) {
        assert_eq!(self.prompt_cache_hit_tokens + self.prompt_cache_miss_tokens, self.prompt_tokens);
        assert_eq!(self.prompt_tokens + self.completion_tokens, self.total_tokens);
        assert_eq!(self.prompt_tokens_details.cached_tokens, self.prompt_cache_hit_tokens);
        assert_eq!(self.prompt_cache_hit_tokens % 64, 0);
        let reasoning = self.completion_tokens_details.as_ref().map_or(0, |details| details.reasoning_tokens);
        assert!(reasoning <= self.completion_tokens);
    }

    pub(super) fn cached(&self) -> u64 {
        self.prompt_cache_hit_tokens
    }
}

impl Logprobs {
    fn check(&self) {
        for token in self.content.iter().chain(&self.reasoning_content).flatten() {
            for guess in std::iter::once(&token.guess).chain(&token.top_logprobs) {
                assert_eq!(guess.token.as_bytes(), guess.bytes);
                assert!(guess.logprob.is_finite() && guess.logprob < 0.0);
            }
            assert!(token.top_logprobs.is_sorted_by(|likelier, other| likelier.logprob > other.logprob));
            assert!(token.top_logprobs.first().is_none_or(|first| *first == token.guess));
        }
    }

    pub(super) fn text(tokens: Option<&Vec<Token>>) -> String {
        tokens.into_iter().flatten().map(|token| token.guess.token.as_str()).collect()
    }
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
