//! Faults of what the model says: their parameters, and that usage adds up under them.

use std::time::Duration;

use serde_json::Value;

use super::observe::{chat, observe, script};

/// The message of a reply that is not streamed, its finish reason, and how many tokens it cost.
fn reply(extra: &str, fault: &str) -> (Value, String, u64) {
    let request = chat(extra, &format!("x-mock-fault: {fault}\r\n"));
    let text = observe(script(""), &request, Duration::ZERO).seen.text();
    let body = text.split("\r\n").find(|line| line.starts_with('{')).unwrap();
    let json: Value = serde_json::from_str(body).unwrap();
    let finish = json["choices"][0]["finish_reason"].as_str().unwrap().to_owned();
    (json["choices"][0]["message"].clone(), finish, json["usage"]["completion_tokens"].as_u64().unwrap())
}

fn content(message: &Value) -> &str {
    message["content"].as_str().unwrap()
}

#[test]
fn a_loop_ends_at_its_tokens_or_at_those_of_the_request_m4() {
    let (message, finish, tokens) = reply("", "repeat-loop;tokens=20");
    assert_eq!((finish.as_str(), tokens), ("length", 20));
    assert_eq!(content(&message).matches(" Let me look at that once more.").count(), 2);

    let (_, finish, tokens) = reply(r#","max_tokens":7"#, "repeat-loop");
    assert_eq!((finish.as_str(), tokens), ("length", 7));
}

#[test]
fn a_loop_has_a_bound_whatever_is_asked_for() {
    let (_, _, tokens) = reply("", "repeat-loop;tokens=9000000000;phrase=again");

    assert_eq!(tokens, 65_536);
}

#[test]
fn a_phrase_of_nothing_is_an_empty_reply() {
    let (message, finish, tokens) = reply("", "repeat-loop;phrase=");

    assert_eq!((content(&message), finish.as_str(), tokens), ("", "length", 0));
}

#[test]
fn json_mode_says_spaces_or_nothing_m4() {
    let (message, finish, _) = reply("", "json-mode-blank");
    assert_eq!((content(&message), finish.as_str()), ("             ", "stop"));

    let (message, finish, tokens) = reply("", "json-mode-blank;text=nothing");
    assert_eq!((content(&message), finish.as_str(), tokens), ("", "stop", 0));
}

#[test]
fn thinking_leaks_with_both_tags_or_the_last_alone_m4() {
    for (fault, open) in [("think-tag-leak", "<think>\nThe user"), ("think-tag-leak;tags=close", "The user")]
    {
        let (message, _, _) = reply("", fault);

        assert!(content(&message).starts_with(open), "{message}");
        assert!(content(&message).ends_with("language.\n</think>\n\nIt’s week 12."), "{message}");
        assert_eq!(message.get("reasoning_content"), None);
    }
}

#[test]
fn chinese_is_in_the_answer_in_the_thinking_or_in_half_of_it_m4() {
    let has_chinese = |text: &str| text.contains('，');

    let (message, _, _) = reply("", "wrong-language");
    assert!(has_chinese(content(&message)) && !content(&message).contains("week"), "{message}");

    let (message, _, _) = reply("", "wrong-language;what=thinking");
    assert!(has_chinese(message["reasoning_content"].as_str().unwrap()), "{message}");
    assert_eq!(content(&message), "It’s week 12.");

    let (message, _, _) = reply("", "wrong-language;what=mixed");
    assert!(content(&message).starts_with("It’s week好的"), "{message}");
}

#[test]
fn marks_of_leaked_tool_calls_are_cut_by_chunks_m4() {
    let request = chat(r#","stream":true"#, "x-mock-fault: tool-markup-leak\r\n");

    let text = observe(script(""), &request, Duration::ZERO).seen.text();

    let events = text.lines().filter_map(|line| line.strip_prefix("data: {"));
    let chunks: Vec<String> = events
        .map(|event| serde_json::from_str::<Value>(&format!("{{{event}")).unwrap())
        .map(|json| json["choices"][0]["delta"]["content"].as_str().unwrap().to_owned())
        .collect();
    let whole = chunks.concat();
    assert_eq!(whole.matches("｜DSML｜").count(), 8);
    assert!(chunks.iter().filter(|chunk| chunk.contains("｜DSML｜")).count() < 8, "{chunks:?}");
    assert!(whole.ends_with("</｜DSML｜tool_calls>") && !text.contains(r#""tool_calls":"#), "{whole}");
}

#[test]
fn a_refusal_names_the_numbers_that_are_asked_for() {
    let request = chat("", "x-mock-fault: context-overflow-400;limit=65536;requested=70000\r\n");

    let text = observe(script(""), &request, Duration::ZERO).seen.text();

    assert!(text.contains("context length is 65536 tokens. However, you requested 70000 tokens"), "{text}");
}

#[test]
fn a_date_says_when_to_come_back() {
    let request = chat("", "x-mock-fault: retry-after-date;after=2h\r\n");

    let text = observe(script(""), &request, Duration::ZERO).seen.text();

    let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(ToOwned::to_owned);
    assert_eq!(header("date: ").as_deref(), Some("Mon, 21 Sep 2026 14:13:20 GMT"));
    assert_eq!(header("retry-after: ").as_deref(), Some("Mon, 21 Sep 2026 16:13:20 GMT"));
}

#[test]
fn a_length_beside_chunks_is_that_of_the_body() {
    let request = chat("", "x-mock-fault: cl-and-te\r\n");

    let text = observe(script(""), &request, Duration::ZERO).seen.text();

    let body = text.split("\r\n").find(|line| line.starts_with('{')).unwrap();
    assert!(
        text.contains(&format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", body.len())),
        "{text}"
    );
}
