//! What the scanner says of whole and of broken answers.

use super::*;

const CHUNK: &str = "data: {\"a\":1}\n\n";

/// Puts a body into HTTP chunks, one for each part.
fn chunked(parts: &[&str]) -> String {
    let chunk = |part: &&str| format!("{:x}\r\n{part}\r\n", part.len());
    let body = parts.iter().map(chunk).collect::<Vec<_>>().concat();
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}0\r\n\r\n")
}

fn single(body: &str, length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// Feeds an answer that is cut in two and returns the verdict.
fn verdict(expected: Expected, answer: &str, cut: usize) -> Result<Option<Reuse>, Broken> {
    let mut scanner = Scanner::new(expected);
    let (first, second) = answer.as_bytes().split_at(cut);
    let before = scanner.feed(first)?;
    let after = scanner.feed(second)?;
    Ok(after.end.or(before.end))
}

/// Feeds an answer cut at every byte and returns the one verdict.
fn everywhere(expected: Expected, answer: &str) -> Result<Option<Reuse>, Broken> {
    let whole = verdict(expected, answer, 0);
    for cut in 1..=answer.len() {
        assert_eq!(verdict(expected, answer, cut), whole, "cut at {cut}");
    }
    whole
}

#[test]
fn a_whole_stream_is_whole_wherever_it_is_cut_m18() {
    let answer = chunked(&[CHUNK, CHUNK, ": keep-alive\n\n", CHUNK, "data: [DONE]\n\n"]);

    assert_eq!(everywhere(Expected::Chunks(3), &answer), Ok(Some(Reuse::Yes)));
}

#[test]
fn chunks_are_counted_though_http_chunks_cut_them_m18() {
    let answer = chunked(&["data: {\"a", "\":1}\n", "\ndata: {}\n\ndata: [DO", "NE]\n\n"]);

    assert_eq!(everywhere(Expected::Chunks(2), &answer), Ok(Some(Reuse::Yes)));
}

#[test]
fn a_stream_that_is_not_what_was_expected_is_named_m18() {
    let done = "data: [DONE]\n\n";
    let cases = [
        (vec![CHUNK, done], Broken::TooFew),
        (vec![CHUNK, CHUNK, CHUNK, done], Broken::TooMany),
        (vec![CHUNK, CHUNK], Broken::NotDone),
        (vec![CHUNK, CHUNK, done, CHUNK], Broken::AfterDone),
        (vec![CHUNK, "data: {\"a\":\n\n", done], Broken::NotAnObject),
    ];

    for (parts, broken) in cases {
        assert_eq!(everywhere(Expected::Chunks(2), &chunked(&parts)), Err(broken));
    }
}

#[test]
fn a_whole_object_is_whole_wherever_it_is_cut_m18() {
    assert_eq!(everywhere(Expected::Object, &single("{\"a\":1}", 7)), Ok(Some(Reuse::Yes)));
    assert_eq!(everywhere(Expected::Object, &chunked(&["{\"a\"", ":1}"])), Ok(Some(Reuse::Yes)));
}

#[test]
fn an_answer_that_is_no_object_is_broken() {
    assert_eq!(everywhere(Expected::Object, &single("<html>", 6)), Err(Broken::NotAnObject));
    assert_eq!(everywhere(Expected::Object, &single("", 0)), Err(Broken::NotAnObject));
}

#[test]
fn bytes_after_the_end_are_broken() {
    assert_eq!(everywhere(Expected::Object, &single("{\"a\":1}x", 7)), Err(Broken::Surplus));
}

#[test]
fn an_answer_that_ends_too_early_is_cut() {
    let mut scanner = Scanner::new(Expected::Object);

    scanner.feed(single("{\"a\"", 7).as_bytes()).unwrap();

    assert_eq!(scanner.end(), Err(Broken::Cut));
}

#[test]
fn an_answer_that_ends_with_the_connection_is_whole_and_the_connection_is_over() {
    let mut scanner = Scanner::new(Expected::Chunks(1));

    let fed = scanner.feed(format!("HTTP/1.1 200 OK\r\n\r\n{CHUNK}data: [DONE]\n\n").as_bytes()).unwrap();

    assert_eq!(fed, Fed { events: 2, end: None });
    assert_eq!(scanner.end(), Ok(Reuse::No));
}

#[test]
fn a_server_that_closes_says_so() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nConnection: close\r\n\r\n{}";

    assert_eq!(everywhere(Expected::Object, answer), Ok(Some(Reuse::No)));
}

#[test]
fn framing_that_is_wrong_is_named() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for body in ["zz\r\n", "\r\n", "2\r\n{}xx", "11111111111\r\n"] {
        assert_eq!(everywhere(Expected::Object, &format!("{head}{body}")), Err(Broken::Framing), "{body}");
    }
    assert_eq!(everywhere(Expected::Object, "ICY 200 OK\r\n\r\n"), Err(Broken::Framing));
    assert_eq!(
        everywhere(Expected::Object, "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"),
        Err(Broken::Status)
    );
}

#[test]
fn a_scanner_reads_one_answer_after_the_other() {
    let mut scanner = Scanner::new(Expected::Chunks(1));

    for _ in 0..3 {
        assert!(scanner.is_fresh());
        let answer = chunked(&[CHUNK, "data: [DONE]\n\n"]);
        assert_eq!(scanner.feed(answer.as_bytes()).unwrap().end, Some(Reuse::Yes));
        assert_eq!(scanner.chunks(), 1);
        scanner.reset();
    }
}
