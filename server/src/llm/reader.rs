//! From bytes of a stream to text and an end, without I/O.
//!
//! Invariant: [`Progress::Finished`] is only returned for an answer that is whole by the setting
//! `llm.stream_end` and holds some text. Everything else is a [`Failure`].

use super::{
    chunk::{self, Chunk, Finish},
    failure::Failure,
    markup::Filter,
    prompt::Turn,
    script::{self, Watch},
    sse::{Item, Parser},
};
use crate::config::llm::{Llm, StreamEnd};

/// Longest answer that is taken, in bytes: a stream without end must not fill the memory.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// What the reader has made of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Go on; the text is empty when only signs of life came.
    More(String),
    /// The answer is whole. The text is its last piece. The connection is of no more use.
    Finished(String),
}

/// Reads one stream.
#[derive(Debug)]
pub struct Reader {
    parser: Parser,
    markup: Filter,
    script: Watch,
    stream_end: StreamEnd,
    bad_allowed: u32,
    bad: u32,
    finish: Option<Finish>,
    has_text: bool,
    bytes: usize,
    tokens: Option<u64>,
}

impl Reader {
    /// Makes a reader by the limits of the settings.
    pub fn new(settings: &Llm) -> Self {
        Self {
            parser: Parser::new(settings.line_bytes),
            markup: Filter::default(),
            script: Watch::new(settings.foreign_letters),
            stream_end: settings.stream_end,
            bad_allowed: settings.malformed_chunks,
            bad: 0,
            finish: None,
            has_text: false,
            bytes: 0,
            tokens: None,
        }
    }

    /// Expects an answer to this prompt, in the scripts in which it is written.
    #[must_use]
    pub fn answering(mut self, prompt: &[Turn]) -> Self {
        if prompt.iter().any(|turn| script::has_east_asian(&turn.content)) {
            self.script = Watch::new(usize::MAX);
        }
        self
    }

    /// Returns what the answer costs, once the provider has told it.
    pub const fn tokens(&self) -> Option<u64> {
        self.tokens
    }

    /// Reads the next bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Progress, Broken> {
        let items = self.parser.push(bytes);
        self.take(items)
    }

    /// Says that the connection ended in order.
    pub fn finish(&mut self) -> Result<Progress, Broken> {
        let items = self.parser.finish();
        match self.take(items)? {
            Progress::Finished(text) => Ok(Progress::Finished(text)),
            Progress::More(text) => self.end(text),
        }
    }

    fn take(&mut self, items: Vec<Item>) -> Result<Progress, Broken> {
        let mut text = String::new();
        for item in items {
            match self.item(item, &mut text) {
                Ok(Step::Next) => {}
                Ok(Step::End) => return self.end(text),
                Err(failure) => return Err(Broken { text, failure }),
            }
        }
        Ok(Progress::More(text))
    }

    fn item(&mut self, item: Item, text: &mut String) -> Result<Step, Failure> {
        let data = match item {
            Item::Comment => return Ok(Step::Next),
            Item::Garbled => return self.malformed("event is not UTF-8"),
            Item::TooLong => return self.malformed("event is longer than `llm.line_bytes`"),
            Item::Data(data) => data,
        };
        match chunk::parse(&data) {
            Ok(Chunk::Done) => Ok(Step::End),
            Ok(Chunk::Usage(tokens)) => {
                self.tokens = tokens.or(self.tokens);
                Ok(Step::Next)
            }
            Ok(Chunk::NoChoice) => self.malformed("chunk has no choice"),
            Ok(Chunk::Error(kind)) => Err(Failure::Reported(kind)),
            Ok(Chunk::Delta { text: piece, finish, tokens }) => {
                self.tokens = tokens.or(self.tokens);
                self.bytes += piece.len();
                if self.bytes > ANSWER_BYTES_MAX {
                    return Err(Failure::Malformed(format!("answer exceeds {ANSWER_BYTES_MAX} bytes")));
                }
                self.show(&piece, text)?;
                self.finish = finish.or(self.finish);
                self.check_finish()
            }
            Err(bad) => self.malformed(&bad.to_string()),
        }
    }

    /// Adds to `text` what the user may see of a piece.
    fn show(&mut self, piece: &str, text: &mut String) -> Result<(), Failure> {
        let (clean, leak) = match self.markup.push(piece) {
            Ok(clean) => (clean, None),
            Err(leak) => (leak.before.clone(), Some(leak)),
        };
        let shown = self.script.push(&clean).map_err(|foreign| Failure::Malformed(foreign.to_string()))?;
        self.has_text |= !shown.trim().is_empty();
        text.push_str(&shown);
        leak.map_or(Ok(()), |leak| Err(Failure::Malformed(leak.to_string())))
    }

    /// Adds to `text` what was held back.
    fn show_rest(&mut self, text: &mut String) {
        // What is held back there is the beginning of a mark, which no foreign letter is.
        let rest = self.script.finish() + &self.markup.finish();
        self.has_text |= !rest.trim().is_empty();
        text.push_str(&rest);
    }

    fn check_finish(&self) -> Result<Step, Failure> {
        match self.finish {
            Some(Finish::Overloaded) => Err(Failure::Overloaded),
            Some(Finish::ContentFilter) => Err(Failure::ContentFilter),
            Some(Finish::Stop | Finish::Length) | None => Ok(Step::Next),
        }
    }

    fn malformed(&mut self, what: &str) -> Result<Step, Failure> {
        metrics::counter!("malformed_total").increment(1);
        self.bad += 1;
        tracing::warn!(bad = self.bad, "chunk of the model was skipped");
        if self.bad > self.bad_allowed {
            return Err(Failure::Malformed(format!("{} bad chunks; the last: {what}", self.bad)));
        }
        Ok(Step::Next)
    }

    fn end(&mut self, mut text: String) -> Result<Progress, Broken> {
        self.show_rest(&mut text);
        let is_finished = self.finish.is_some() || self.stream_end == StreamEnd::AnyEof;
        if !self.has_text && (is_finished || self.bad == 0) {
            return Err(Broken { text, failure: Failure::Empty });
        }
        if !self.has_text {
            let failure = Failure::Malformed("no chunk could be read".to_owned());
            return Err(Broken { text, failure });
        }
        if !is_finished {
            return Err(Broken { text, failure: Failure::CutShort });
        }
        Ok(Progress::Finished(text))
    }
}

/// A failure, and the text that came before it in the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Text that is good as far as it goes.
    pub text: String,
    /// Why there will be no more.
    pub failure: Failure,
}

enum Step {
    Next,
    End,
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#;
    const TEXT: &str = r#"{"choices":[{"delta":{"content":"abc"}}]}"#;
    const STOP: &str = r#"{"choices":[{"delta":{"content":""},"finish_reason":"stop"}]}"#;

    fn read(events: &[&str]) -> Result<String, Failure> {
        let mut reader = Reader::new(&Llm::default());
        let mut all = String::new();
        for event in events {
            match reader.push(format!("data: {event}\n\n").as_bytes()).map_err(|broken| broken.failure)? {
                Progress::More(text) => all += &text,
                Progress::Finished(text) => return Ok(all + &text),
            }
        }
        match reader.finish().map_err(|broken| broken.failure)? {
            Progress::More(text) | Progress::Finished(text) => Ok(all + &text),
        }
    }

    #[test]
    fn an_answer_is_whole_with_a_finish_reason_even_without_the_end_marker() {
        assert_eq!(read(&[HEAD, TEXT, STOP, "[DONE]"]), Ok("abc".to_owned()));
        assert_eq!(read(&[HEAD, TEXT, STOP]), Ok("abc".to_owned()));
    }

    #[test]
    fn an_end_without_a_finish_reason_is_a_failure_even_with_the_end_marker() {
        assert_eq!(read(&[HEAD, TEXT]), Err(Failure::CutShort));
        assert_eq!(read(&[HEAD, TEXT, "[DONE]"]), Err(Failure::CutShort));
    }

    #[test]
    fn an_end_without_text_is_a_failure() {
        assert_eq!(read(&[]), Err(Failure::Empty));
        assert_eq!(read(&[HEAD, STOP, "[DONE]"]), Err(Failure::Empty));
        assert_eq!(read(&["[DONE]"]), Err(Failure::Empty));
    }

    #[test]
    fn three_bad_chunks_are_borne_and_the_fourth_is_not() {
        assert_eq!(read(&[TEXT, "{", "{}", "null", STOP]), Ok("abc".to_owned()));
        assert!(matches!(read(&[TEXT, "{", "{}", "null", "x", STOP]), Err(Failure::Malformed(_))));
    }

    #[test]
    fn three_events_that_are_too_long_are_borne_and_the_fourth_is_not_f14() {
        let long = "x".repeat(Llm::default().line_bytes);

        assert_eq!(read(&[TEXT, &long, &long, &long, STOP]), Ok("abc".to_owned()));
        assert!(matches!(read(&[TEXT, &long, &long, &long, &long, STOP]), Err(Failure::Malformed(_))));
    }

    #[test]
    fn text_before_what_is_too_long_in_the_same_bytes_is_kept_f14() {
        let long = "x".repeat(5 * Llm::default().line_bytes);

        let broken = Reader::new(&Llm::default())
            .push(format!("data: {TEXT}\n\ndata: {long}").as_bytes())
            .unwrap_err();

        assert_eq!(broken.text, "abc");
    }

    #[test]
    fn only_bad_chunks_are_malformed_not_empty() {
        assert!(matches!(read(&["{", "}"]), Err(Failure::Malformed(_))));
    }

    #[test]
    fn an_error_in_the_stream_ends_it_and_keeps_the_text_before() {
        let mut reader = Reader::new(&Llm::default());
        let bytes = format!("data: {TEXT}\n\ndata: {{\"error\":{{\"type\":\"oops\"}}}}\n\n");

        let broken = reader.push(bytes.as_bytes()).unwrap_err();

        assert_eq!(broken, Broken { text: "abc".to_owned(), failure: Failure::Reported("oops".to_owned()) });
    }

    #[test]
    fn lack_of_resources_and_filters_are_failures_of_their_own() {
        let last = |finish| format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"{finish}"}}]}}"#);

        assert_eq!(read(&[TEXT, &last("insufficient_system_resource")]), Err(Failure::Overloaded));
        assert_eq!(read(&[TEXT, &last("content_filter")]), Err(Failure::ContentFilter));
        assert_eq!(read(&[TEXT, &last("length")]), Ok("abc".to_owned()));
    }

    #[test]
    fn thinking_and_markup_in_the_text_are_never_shown() {
        let said = |text: &str| format!(r#"{{"choices":[{{"delta":{{"content":"{text}"}}}}]}}"#);

        assert_eq!(read(&[&said("<think>hm</think>"), TEXT, STOP]), Ok("abc".to_owned()));
        assert_eq!(read(&[&said("<think>hm"), STOP]), Err(Failure::Empty));
        assert!(matches!(read(&[TEXT, &said("<\u{ff5c}DSML")]), Err(Failure::Malformed(_))));
        assert_eq!(read(&[TEXT, &said(" 1 <"), STOP]), Ok("abc 1 <".to_owned()));
    }

    #[test]
    fn an_answer_is_in_a_script_of_the_conversation() {
        let chinese = format!(r#"{{"choices":[{{"delta":{{"content":"{}"}}}}]}}"#, "好".repeat(13));
        let event = format!("data: {chinese}\n\n");
        let prompt = [Turn { role: "user", content: "你好".to_owned() }];

        let broken = Reader::new(&Llm::default()).push(event.as_bytes()).unwrap_err();
        let read = Reader::new(&Llm::default()).answering(&prompt).push(event.as_bytes());

        assert_eq!(broken.text, "");
        assert!(matches!(broken.failure, Failure::Malformed(_)));
        assert!(matches!(read, Ok(Progress::More(_))));
    }

    #[test]
    fn any_orderly_end_counts_where_the_setting_says_so() {
        let mut reader = Reader::new(&Llm { stream_end: StreamEnd::AnyEof, ..Llm::default() });
        reader.push(format!("data: {TEXT}\n\n").as_bytes()).unwrap();

        assert_eq!(reader.finish(), Ok(Progress::Finished(String::new())));
    }

    #[test]
    fn nothing_after_the_end_marker_is_read() {
        let bytes = format!("data: {TEXT}\n\ndata: {STOP}\n\ndata: [DONE]\n\ndata: {TEXT}\n\n");

        let progress = Reader::new(&Llm::default()).push(bytes.as_bytes());

        assert_eq!(progress, Ok(Progress::Finished("abc".to_owned())));
    }
}
