//! A thousand requests of every kind: objects keep their schema, sums hold, a stream says what the whole says.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::schema::{self, Body, Call, Finish, Function, Logprobs, Message, Role, Usage};
use crate::{
    ApiProfile, DefaultRule, Reply, Script,
    answer::{Form, Piece},
    api::{self, Behind, Request},
    cache::PromptCache,
    files::Files,
    headers::{Credentials, Headers},
    render::Stamp,
    script::ScriptedCall,
    select::Selector,
};

/// Answers a request without a socket, by the code that serves sockets.
fn answer(cache: &PromptCache, path: &str, body: &Value, reply: &Reply) -> Body {
    let credentials = Credentials { authorization: Some("Bearer sk-test".to_owned()), api_key: None };
    let body = serde_json::to_vec(body).unwrap();
    let headers = Headers::default();
    let request = Request::post(path, (&headers, &credentials), &body);
    let stamp = Stamp {
        id: "5f0c7a52-9d0e-4c43-8b1f-0d6a4b8e2c11".to_owned(),
        created: 1_790_000_000,
        trace: "0123456789abcdef0123456789abcdef".to_owned(),
        date: "".into(),
        seed: 0,
        profile: ApiProfile::Current,
    };
    let default = DefaultRule { reply: reply.clone(), ..DefaultRule::default() };
    let selector = Selector::new(Script { default, ..Script::default() }, 0, Arc::default());
    let behind = Behind { selector: &selector, cache, files: &Files::default(), ordered: None };
    let mut answer = api::decide(&request, &stamp, &behind).answer;
    answer.render_all();
    let bytes: Vec<u8> = answer.pieces.iter().flat_map(Piece::bytes).collect();
    Body::new(answer.head.unwrap().status, answer.form == Form::Stream, String::from_utf8(bytes).unwrap())
}

/// What a reply comes to, however it was told.
#[derive(Debug, Default, PartialEq)]
struct Told {
    message: Option<Message>,
    finish: Option<Finish>,
    usage: Option<Usage>,
    probable: [String; 2],
}

fn whole(body: &Body) -> Told {
    let mut reply = schema::completion(&body.text);
    let choice = reply.choices.remove(0);
    let logprobs = choice.logprobs.unwrap_or_default();
    Told {
        message: Some(choice.message),
        finish: Some(choice.finish_reason),
        usage: Some(reply.usage),
        probable: [&logprobs.content, &logprobs.reasoning_content].map(|list| Logprobs::text(list.as_ref())),
    }
}

fn collected(body: &Body) -> Told {
    let (mut told, mut calls): (Told, Vec<Call>) = <_>::default();
    let (mut content, mut reasoning) = (String::new(), None::<String>);
    for (index, event) in body.events().into_iter().enumerate() {
        let chunk = schema::chunk(event);
        assert!(told.finish.is_none(), "a chunk after the end: {event}");
        told.usage = chunk.usage;
        for choice in chunk.choices {
            let delta = choice.delta;
            assert_eq!(delta.role.is_some(), index == 0, "{event}");
            content.push_str(delta.content.as_deref().unwrap_or_default());
            if let Some(text) = delta.reasoning_content {
                reasoning.get_or_insert_default().push_str(&text);
            }
            for delta in delta.tool_calls {
                if let (Some(id), Some(name)) = (delta.id, delta.function.name) {
                    assert_eq!((delta.index, delta.function.arguments.as_str()), (calls.len(), ""));
                    let call = json!({"index": delta.index, "id": id, "type": "function",
                        "function": {"name": name, "arguments": ""}});
                    calls.push(serde_json::from_value(call).unwrap());
                } else {
                    calls[delta.index].function.arguments.push_str(&delta.function.arguments);
                }
            }
            let logprobs = choice.logprobs.unwrap_or_default();
            told.probable[0] += &Logprobs::text(logprobs.content.as_ref());
            told.probable[1] += &Logprobs::text(logprobs.reasoning_content.as_ref());
            told.finish = choice.finish_reason;
        }
    }
    told.message = Some(Message {
        role: Role::Assistant,
        content: Some(content),
        reasoning_content: reasoning,
        tool_calls: calls,
    });
    told
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z ,.’你]{1,60}", "\\PC{0,30}", "[\"\\\\\n\t a-z]{0,20}"]
}

fn reply() -> impl Strategy<Value = Reply> {
    let call = (prop::sample::select(vec!["f", "g"]), prop::option::of(text()));
    let call = call.prop_map(|(name, said)| ScriptedCall {
        name: name.to_owned(),
        arguments: said.map(|said| json!({ "said": said })),
    });
    let calls = prop::option::of(prop::collection::vec(call, 0..4));
    let texts = (prop::option::of(text()), prop::option::of(text()));
    (texts, calls, prop::option::of(1_usize..5)).prop_map(|((text, thinking), calls, tokens_per_chunk)| {
        Reply { text, thinking, tokens_per_chunk, calls, ..Reply::default() }
    })
}

fn messages() -> impl Strategy<Value = Vec<Value>> {
    let role = prop::sample::select(vec!["system", "user", "assistant", "latest_reminder"]);
    let message = (role, prop_oneof![text(), "([a-z]{1,8} ){0,200}"]);
    let message = message.prop_map(|(role, text)| json!({"role": role, "content": format!("json {text}")}));
    prop::collection::vec(message, 1..6)
}

/// Settings that are let pass; some of them together are not, and then the error has its schema.
fn settings() -> impl Strategy<Value = Value> {
    let any = |values: Vec<Value>| prop::sample::select(values);
    let tools = json!([
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"week": {"type": "integer"}}}}},
        {"type": "function", "function": {"name": "g"}},
    ]);
    (
        any(vec![json!(null), json!({"type": "disabled"}), json!({"type": "enabled"})]),
        any(vec![json!(null), json!(1), json!(7), json!(30), json!(0)]),
        any(vec![json!(null), json!([" a", "b"]), json!("e")]),
        any(vec![json!(null), json!(true)]),
        any(vec![json!(null), json!(0), json!(3), json!(20)]),
        any(vec![json!(null), tools]),
        any(vec![json!(null), json!("auto"), json!("none"), json!("required"), json!({"type": "function", "function": {"name": "g"}})]),
        any(vec![json!(null), json!({"type": "json_object"})]),
    )
        .prop_map(|(thinking, max_tokens, stop, logprobs, top_logprobs, tools, tool_choice, format)| {
            let all = json!({
                "thinking": thinking, "max_tokens": max_tokens, "stop": stop, "logprobs": logprobs,
                "top_logprobs": top_logprobs, "tools": tools, "tool_choice": tool_choice, "response_format": format,
            });
            let given = all.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
            Value::Object(given.map(|(name, value)| (name.clone(), value.clone())).collect())
        })
}

fn with(base: &Value, extra: &Value) -> Value {
    let mut all = base.clone();
    all.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_stream_says_what_the_whole_says_and_objects_keep_their_schema_m3(
        messages in messages(), settings in settings(), reply in reply(), usage in any::<bool>()
    ) {
        let base = with(&json!({"model": "deepseek-flash", "messages": messages}), &settings);
        let options = if usage { json!({"include_usage": true}) } else { json!({}) };
        let streamed = with(&base, &json!({"stream": true, "stream_options": options}));

        let one = answer(&PromptCache::default(), "/chat/completions", &base, &reply);
        let other = answer(&PromptCache::default(), "/chat/completions", &streamed, &reply);

        schema::check(&one);
        schema::check(&other);
        prop_assert_eq!(one.status, other.status);
        if one.status == 200 {
            let (whole, collected) = (whole(&one), collected(&other));
            let said = whole.message.as_ref().unwrap();
            if base["logprobs"] == true {
                let reasoning = said.reasoning_content.clone().unwrap_or_default();
                prop_assert_eq!(&whole.probable, &[said.content.clone().unwrap(), reasoning]);
            }
            for Call { function: Function { name, .. }, .. } in &said.tool_calls {
                prop_assert!(base["tools"].is_array() && ["f", "g"].contains(&name.as_str()));
            }
            if let Some(budget) = base["max_tokens"].as_u64() {
                prop_assert!(whole.usage.as_ref().unwrap().completion_tokens <= budget);
            }
            prop_assert_eq!(whole, collected);
        }
    }

    #[test]
    fn the_sums_hold_while_a_conversation_grows_m13(
        messages in messages(), texts in prop::collection::vec(text(), 1..4), user in "[a-z]{1,3}"
    ) {
        let (cache, mut messages, mut before) = (PromptCache::default(), messages, 0);
        for text in texts {
            let reply = Reply { text: Some(text.clone()), ..Reply::default() };
            let body = json!({"model": "deepseek-flash", "messages": messages, "user_id": user});

            let usage = whole(&answer(&cache, "/v1/chat/completions", &body, &reply)).usage.unwrap();

            prop_assert!(usage.cached() >= before, "what was read is not forgotten");
            before = usage.cached();
            messages.push(json!({"role": "assistant", "content": text}));
            messages.push(json!({"role": "user", "content": "go on"}));
        }
    }

    #[test]
    fn a_filled_gap_says_the_same_streamed_and_whole_m3(
        prompt in text(), suffix in prop::option::of(text()), reply in reply(), echo in any::<bool>(),
        logprobs in prop::option::of(0_u8..21)
    ) {
        let base = json!({"model": "deepseek-flash", "prompt": prompt, "suffix": suffix, "echo": echo, "logprobs": logprobs});
        let streamed = with(&base, &json!({"stream": true, "stream_options": {"include_usage": true}}));

        let one = answer(&PromptCache::default(), "/beta/completions", &base, &reply);
        let other = answer(&PromptCache::default(), "/beta/completions", &streamed, &reply);

        schema::check(&one);
        schema::check(&other);
        let whole = schema::text_completion(&one.text);
        let chunks: Vec<_> = other.events().into_iter().map(schema::text_completion).collect();
        let text: String = chunks.iter().flat_map(|chunk| &chunk.choices).map(|choice| choice.text.as_str()).collect();
        prop_assert_eq!(&whole.choices[0].text, &text);
        prop_assert!(!echo || text.starts_with(&prompt));
        prop_assert_eq!(&whole.usage, &chunks.last().unwrap().usage);
        let finishes: Vec<_> = chunks.iter().flat_map(|chunk| &chunk.choices).filter_map(|choice| choice.finish_reason).collect();
        prop_assert_eq!(finishes, whole.choices[0].finish_reason.into_iter().collect::<Vec<_>>());
    }
}
