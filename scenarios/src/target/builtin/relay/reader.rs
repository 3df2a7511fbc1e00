//! What a careless reader makes of a stream.
//!
//! It knows of the format only what an example on a web page shows, and has one [`Habit`] beside.

use axum::http::{HeaderMap, header};
use serde_json::{Value, json};

use super::Habit;

/// What marks of thinking and of tool calls are made of, which somebody who shows everything takes off.
const MARKS: [char; 3] = ['<', '>', '\u{ff5c}'];
/// The first two bytes of everything that gzip writes.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// What a reader has understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A piece of text.
    Text(String),
    /// Why the model stopped.
    Finish(String),
    /// The answer is there.
    Whole,
    /// The stream ended, and nothing else is known.
    Over,
    /// It cannot be read on.
    Broken,
}

impl Said {
    /// Writes it as DeepSeek would.
    pub(super) fn event(&self) -> String {
        let chunk = |delta: Value, finish: Option<&str>| {
            let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
            format!("data: {}\n\n", json!({"choices": [choice]}))
        };
        match self {
            Self::Text(text) => chunk(json!({"content": text}), None),
            Self::Finish(reason) => chunk(json!({"content": ""}), Some(reason)),
            Self::Whole => "data: [DONE]\n\n".to_owned(),
            Self::Over | Self::Broken => String::new(),
        }
    }
}

/// Reads one stream.
#[derive(Debug)]
pub(super) struct Reader {
    habit: Habit,
    /// The headers contradict each other.
    is_refused: bool,
    /// A header says that the body is compressed, and the first bytes have not been seen yet.
    expects_gzip: bool,
    rest: Vec<u8>,
    has_finished: bool,
    held: Vec<Said>,
}

impl Reader {
    /// Makes a reader for an answer with these headers.
    pub(super) fn new(habit: Habit, headers: &HeaderMap) -> Self {
        let is_strict = habit == Habit::StrictReader;
        let encoding = headers.get(header::CONTENT_ENCODING);
        let expects_gzip = is_strict && encoding.is_some_and(|name| name == "gzip");
        let has_two_lengths =
            headers.contains_key(header::CONTENT_LENGTH) && headers.contains_key(header::TRANSFER_ENCODING);
        Self {
            habit,
            is_refused: is_strict && has_two_lengths,
            expects_gzip,
            rest: Vec::new(),
            has_finished: false,
            held: Vec::new(),
        }
    }

    /// Reads the next bytes.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<Said> {
        let is_no_gzip = std::mem::take(&mut self.expects_gzip) && !bytes.starts_with(GZIP);
        if self.is_refused || is_no_gzip {
            return vec![Said::Broken];
        }
        let blocks = match self.habit {
            Habit::StrictReader => self.complete(bytes, b"\n\n"),
            Habit::ReadsAreLines => String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect(),
            Habit::UnicodeLineEnds => {
                let lines = self.complete(bytes, b"\n");
                lines.iter().flat_map(|line| line.split(['\u{2028}', '\u{85}']).map(str::to_owned)).collect()
            }
            _ => self.complete(bytes, b"\n"),
        };
        let said = blocks.iter().flat_map(|block| self.block(block)).collect::<Vec<_>>();
        self.hold_back(said)
    }

    /// Says that the body ended, in order or not.
    pub(super) fn end(&mut self, in_order: bool) -> Vec<Said> {
        let mut said = std::mem::take(&mut self.held);
        match self.habit {
            Habit::AnyEndIsWhole => said.extend([Said::Finish("stop".to_owned()), Said::Whole]),
            Habit::AnythingIsAnAnswer if in_order => {
                said.extend([Said::Finish("stop".to_owned()), Said::Whole]);
            }
            Habit::StrictReader => said.push(Said::Broken),
            Habit::TwoAnswersSpliced if !self.has_finished => said.push(Said::Broken),
            _ => said.push(if in_order { Said::Over } else { Said::Broken }),
        }
        said
    }

    /// Keeps what is not complete and returns what is.
    fn complete(&mut self, bytes: &[u8], end: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(bytes);
        let mut blocks = Vec::new();
        while let Some(at) = self.rest.windows(end.len()).position(|window| window == end) {
            blocks.push(String::from_utf8_lossy(&self.rest[..at]).into_owned());
            self.rest.drain(..at + end.len());
        }
        blocks
    }

    /// Reads a line, or what the strict reader takes for an event.
    fn block(&mut self, block: &str) -> Vec<Said> {
        if self.habit == Habit::StrictReader {
            return match block.strip_prefix("data: ") {
                Some(data) => self.data(data),
                None if block.starts_with(':') => Vec::new(),
                None => vec![Said::Broken],
            };
        }
        let line = block.trim();
        match line.strip_prefix("data:") {
            Some(data) => self.data(data.trim_start()),
            None if line.is_empty() || line.starts_with(':') || line.starts_with("event:") => Vec::new(),
            None => self.unreadable(block),
        }
    }

    fn data(&mut self, data: &str) -> Vec<Said> {
        if data == "[DONE]" {
            return vec![Said::Whole];
        }
        let Ok(chunk) = serde_json::from_str::<Value>(data) else { return self.unreadable(data) };
        match chunk.pointer("/choices/0") {
            Some(choice) => self.choice(choice),
            None if self.habit == Habit::AnyEndIsWhole => Vec::new(),
            None if chunk.get("error").is_some() => vec![Said::Broken],
            None => self.unreadable(data),
        }
    }

    fn choice(&mut self, choice: &Value) -> Vec<Said> {
        let mut said = vec![Said::Text(self.text(choice.get("delta").unwrap_or(&Value::Null)))];
        if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str) {
            match self.habit {
                // Not null, so it must be the last chunk.
                Habit::StrictReader if reason.is_empty() => {
                    return vec![Said::Finish("stop".to_owned()), Said::Whole];
                }
                _ if reason.is_empty() => return said,
                Habit::AnyEndIsWhole => said.push(Said::Finish("stop".to_owned())),
                _ => said.push(Said::Finish(reason.to_owned())),
            }
            self.has_finished = true;
        }
        said
    }

    fn text(&self, delta: &Value) -> String {
        let content = delta.get("content").unwrap_or(&Value::Null);
        match content {
            _ if self.habit == Habit::EveryStringIsText => strings(delta).replace(MARKS, ""),
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other if self.habit == Habit::UnreadableIsText => other.to_string(),
            _ => String::new(),
        }
    }

    fn unreadable(&self, raw: &str) -> Vec<Said> {
        match self.habit {
            Habit::StrictReader => vec![Said::Broken],
            Habit::UnreadableIsText => vec![Said::Text(raw.to_owned())],
            _ => Vec::new(),
        }
    }

    /// Holds the end back until the body ends, if that is the habit.
    fn hold_back(&mut self, said: Vec<Said>) -> Vec<Said> {
        if self.habit != Habit::WaitsForTheEnd {
            return said;
        }
        let (end, text) = said.into_iter().partition(|said| matches!(said, Said::Finish(_) | Said::Whole));
        self.held.extend::<Vec<_>>(end);
        text
    }
}

/// Returns all strings in a value, one after the other.
fn strings(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(strings).collect(),
        Value::Object(fields) => fields.values().map(strings).collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = r#"data: {"choices":[{"delta":{"role":"assistant"}}]}"#;
    const TEXT: &str = r#"data: {"choices":[{"delta":{"content":"Yes"}}]}"#;
    const STOP: &str = r#"data: {"choices":[{"delta":{"content":""},"finish_reason":"stop"}]}"#;
    const DONE: &str = "data: [DONE]";

    /// Returns the text that a reader of this habit shows of the lines, and its last word.
    fn read(habit: Habit, body: &str) -> (String, Option<Said>) {
        let mut reader = Reader::new(habit, &HeaderMap::new());
        let mut said = reader.read(body.as_bytes());
        said.extend(reader.end(true));
        let text = |said: &Said| if let Said::Text(text) = said { text.clone() } else { String::new() };
        let end = |said: &&Said| matches!(said, Said::Whole | Said::Over | Said::Broken);
        (said.iter().map(text).collect(), said.iter().find(end).cloned())
    }

    fn stream(events: &[&str]) -> String {
        events.join("\n\n") + "\n\n"
    }

    #[test]
    fn a_sound_stream_is_read_by_all_of_them() {
        for habit in [Habit::StrictReader, Habit::ReadsAreLines, Habit::AnyEndIsWhole, Habit::WaitsForTheEnd]
        {
            let read = read(habit, &stream(&[TEXT, STOP, DONE]));

            assert_eq!(read, ("Yes".to_owned(), Some(Said::Whole)), "{habit:?}");
        }
    }

    #[test]
    fn each_habit_harms_in_its_own_way() {
        let cases = [
            (Habit::StrictReader, stream(&[TEXT, STOP, DONE]).replace('\n', "\r\n"), "", Said::Broken),
            (Habit::EveryStringIsText, stream(&[ROLE, DONE]), "assistant", Said::Whole),
            (Habit::AnyEndIsWhole, stream(&[TEXT]), "Yes", Said::Whole),
            (Habit::UnreadableIsText, stream(&["data: oops", DONE]), "oops", Said::Whole),
            (Habit::TwoAnswersSpliced, stream(&[TEXT]), "Yes", Said::Broken),
        ];

        for (habit, body, text, end) in cases {
            assert_eq!(read(habit, &body), (text.to_owned(), Some(end)), "{habit:?}");
        }
    }
}
