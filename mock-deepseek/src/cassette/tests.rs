//! Files that can be read again, and files that are refused with line and reason.

use super::*;

const LABEL: &str = r#"{"cassette":{"version":1}}"#;
const REQUEST: &str = r#"{"request":{"method":"GET","path":"/models"}}"#;
const ANSWER: &str = r#"{"answer":{"at_ms":40,"status":200,"framing":"length","headers":["a: b"]}}"#;
const END: &str = r#"{"end":{"at_ms":50,"how":"complete"}}"#;

fn refusal(lines: &[&str]) -> String {
    let error = lines.join("\n").parse::<Cassette>().unwrap_err().to_string();
    let way_out = "; mend the line, or delete the file and record it again";
    error.strip_prefix("cassette is damaged in ").unwrap().strip_suffix(way_out).unwrap().to_owned()
}

#[test]
fn what_is_written_is_read_again_to_the_byte_m14() {
    let track = Track {
        line: 2,
        request: Asked {
            method: "POST".to_owned(),
            path: "/chat/completions?x=1".to_owned(),
            headers: vec!["accept: */*".to_owned()],
            body: Content::of(br#"{"b":1,"a":[null,"\u0000"]}"#.to_vec()),
        },
        answer: Answered {
            at_ms: 3,
            status: 503,
            framing: BodyEnd::Chunked,
            headers: vec!["content-type: text/plain".to_owned(), "x-empty: ".to_owned()],
            compressed: Some("gzip".to_owned()),
            pieces: vec![(3, "a\r\n\t".into()), (9, b"\xe2\x80"[..].into())],
            end_ms: 12,
            how: How::Reset,
            missing: 7,
        },
    };

    let text = label() + &track.lines();
    let cassette: Cassette = text.parse().unwrap();

    assert_eq!(*cassette.tracks[0], track);
    insta::assert_snapshot!(text, @r#"
    {"cassette":{"version":1}}
    {"request":{"method":"POST","path":"/chat/completions?x=1","headers":["accept: */*"],"json":{"b":1,"a":[null,"\u0000"]}}}
    {"answer":{"at_ms":3,"status":503,"framing":"chunked","headers":["content-type: text/plain","x-empty: "],"compressed":"gzip"}}
    {"piece":{"at_ms":3,"text":"a\r\n\t"}}
    {"piece":{"at_ms":9,"base64":"4oA="}}
    {"end":{"at_ms":12,"how":"reset","missing":7}}
    "#);
}

#[test]
fn a_damaged_cassette_is_refused_with_line_and_reason_m14() {
    insta::assert_snapshot!(refusal(&[]), @r#"line 1: a cassette begins with the line `{"cassette":{"version":1}}`"#);
    insta::assert_snapshot!(refusal(&[REQUEST]), @r#"line 1: a cassette begins with the line `{"cassette":{"version":1}}`"#);
    insta::assert_snapshot!(refusal(&[r#"{"cassette":{"version":2}}"#]), @r#"line 1: version 2 is not known, only 1 is"#);
    insta::assert_snapshot!(refusal(&[LABEL, "", "{\"request\":{\"method\""]), @r#"line 3: EOF while parsing an object at column 20"#);
    insta::assert_snapshot!(refusal(&[LABEL, r#"{"reqest":{}}"#]), @r#"line 2: unknown variant `reqest`, expected one of `cassette`, `request`, `answer`, `piece`, `end` at column 9"#);
    insta::assert_snapshot!(refusal(&[LABEL, r#"{"request":{"method":"GET","path":"/","boddy":1}}"#]), @r#"line 2: unknown field `boddy`, expected one of `method`, `path`, `headers`, `json`, `text`, `base64` at column 45"#);
    insta::assert_snapshot!(refusal(&[LABEL, r#"{"request":{"method":"GET","path":"models"}}"#]), @r#"line 2: `path` is `models`, which does not begin with `/`"#);
    insta::assert_snapshot!(refusal(&[LABEL, r#"{"request":{"method":"GET","path":"/","text":"a","base64":"YQ=="}}"#]), @r#"line 2: a body is one of `json`, `text` and `base64`"#);
    insta::assert_snapshot!(refusal(&[LABEL, ANSWER]), @r#"line 2: found `answer` where `request` is due"#);
    insta::assert_snapshot!(refusal(&[LABEL, REQUEST, END]), @r#"line 3: found `end` where `answer` is due"#);
    insta::assert_snapshot!(refusal(&[LABEL, REQUEST, ANSWER]), @r#"line 3: the file ends within the exchange that begins in line 2"#);
    insta::assert_snapshot!(refusal(&[LABEL, REQUEST, ANSWER, r#"{"piece":{"at_ms":39,"text":"x"}}"#]), @r#"line 4: `at_ms` is 39, earlier than the 40 before it"#);
    insta::assert_snapshot!(refusal(&[LABEL, REQUEST, ANSWER, r#"{"piece":{"at_ms":40,"base64":"%"}}"#]), @r#"line 4: `base64` cannot be decoded: Invalid symbol 37, offset 0."#);
    insta::assert_snapshot!(refusal(&[LABEL, REQUEST, r#"{"answer":{"at_ms":0,"status":200,"framing":"length","headers":["a: b\r\nc: d"]}}"#]), @r#"line 3: "a: b\r\nc: d" is no header: expected `name: value`"#);
}

#[test]
fn a_file_that_is_not_there_is_named_with_a_way_out() {
    let error = Cassette::read("no/such.jsonl").unwrap_err().to_string();

    assert!(error.starts_with("cassette `no/such.jsonl` cannot be read: "), "{error}");
    assert!(error.ends_with("record one with `gauntlet mock --record URL --cassette FILE`"), "{error}");
}
