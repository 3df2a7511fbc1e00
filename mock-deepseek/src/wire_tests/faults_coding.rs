//! Compressed bodies: what a patient decoder makes of them, chunk by chunk as they arrive.

use std::{
    io::{Read as _, Write as _},
    time::Duration,
};

use flate2::write::GzDecoder;
use ruzstd::decoding::StreamingDecoder;

use super::observe::{chat, observe, script};

/// Asks on virtual time with a second between two tokens, and returns head and HTTP chunks.
fn chunks(extra: &str, faults: &str) -> (String, Vec<Vec<u8>>) {
    let request = chat(extra, &format!("x-mock-fault: {faults}\r\n"));
    let bytes = observe(script("pace = { gap = \"1s\" }\n"), &request, Duration::from_mins(1)).seen.bytes();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let (mut rest, mut chunks) = (&bytes[end + 4..], Vec::new());
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            assert_eq!(rest, b"0\r\n\r\n");
            return (head, chunks);
        }
        chunks.push(rest[line + 2..line + 2 + size].to_vec());
        rest = &rest[line + 4 + size..];
    }
}

const STREAM: &str = r#","stream":true"#;

#[test]
fn each_event_of_a_gzip_stream_can_be_read_when_it_arrives() {
    let (head, chunks) = chunks(STREAM, "gzip-undeclared");

    let mut decoder = GzDecoder::new(Vec::new());
    let mut sizes = Vec::new();
    for chunk in &chunks {
        decoder.write_all(chunk).unwrap();
        decoder.flush().unwrap();
        let text = String::from_utf8_lossy(decoder.get_ref());
        assert!(text.ends_with("\n\n"), "{text}");
        sizes.push(text.matches("data: ").count());
    }
    assert_eq!(sizes, [1, 2, 3, 4, 5, 6, 7, 7]);
    assert!(decoder.finish().unwrap().ends_with(b"data: [DONE]\n\n"));
    assert!(!head.contains("content-encoding"), "{head}");
}

#[test]
fn a_truncated_gzip_stream_ends_without_finish_and_trailer_m6() {
    let (head, chunks) = chunks(STREAM, "gzip-truncated");

    let mut decoder = GzDecoder::new(Vec::new());
    decoder.write_all(&chunks.concat()).unwrap();
    decoder.flush().unwrap();
    let text = String::from_utf8_lossy(decoder.get_ref()).into_owned();
    assert!(text.contains("It’s") && !text.contains(r#""finish_reason":"stop""#), "{text}");
    assert!(decoder.finish().is_err());
    assert!(head.contains("content-encoding: gzip"), "{head}");
}

#[test]
fn a_truncated_gzip_body_that_is_not_streamed_is_half_a_json_object_m6() {
    let (_, chunks) = chunks("", "gzip-truncated");

    let mut text = Vec::new();
    flate2::read::GzDecoder::new(chunks.concat().as_slice()).read_to_end(&mut text).unwrap_err();
    assert!(text.starts_with(br#"{"id":"#) && !text.ends_with(b"}"), "{}", String::from_utf8_lossy(&text));
}

#[test]
fn all_percent_of_a_gzip_body_is_a_sound_one() {
    let (_, chunks) = chunks("", "gzip-truncated;percent=100");

    let mut text = String::new();
    flate2::read::GzDecoder::new(chunks.concat().as_slice()).read_to_string(&mut text).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
}

#[test]
fn each_event_is_a_zstd_frame_of_its_own_m6() {
    let (_, chunks) = chunks(STREAM, "zstd-unasked");

    let events = chunks.iter().map(|chunk| {
        let mut text = String::new();
        StreamingDecoder::new(chunk.as_slice()).unwrap().read_to_string(&mut text).unwrap();
        text
    });
    let events: Vec<_> = events.collect();
    assert_eq!(events.len(), 7);
    assert!(events.iter().all(|event| event.starts_with("data: ") && event.ends_with("\n\n")), "{events:?}");
}

#[test]
fn comments_without_end_are_zstd_frames_too() {
    let request = chat(STREAM, "x-mock-fault: zstd-unasked, keepalive-only-forever;every=10s\r\n");

    let seen = observe(script(""), &request, Duration::from_mins(1)).seen;

    assert_eq!(seen.reads.len(), 7);
    assert!(seen.reads[1..].iter().all(|(_, bytes)| bytes.windows(4).any(|four| four == b"(\xb5/\xfd")));
}

#[test]
fn compression_keeps_the_pace() {
    let request = chat(STREAM, "x-mock-fault: gzip-undeclared\r\n");

    let seen = observe(script("pace = { gap = \"1s\" }\n"), &request, Duration::from_mins(1)).seen;

    let times: Vec<_> = seen.reads.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(times, [0, 1, 2, 3]);
}
