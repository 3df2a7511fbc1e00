//! What is found, what is not, and that nothing gets through.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn clean(text: &str) -> String {
    Scrubber::default().text(text)
}

fn clean_body(body: &str, media: Media) -> String {
    let pieces = Scrubber::default().body(&[Bytes::copy_from_slice(body.as_bytes())], media);
    String::from_utf8(pieces.concat()).unwrap()
}

#[test]
fn keys_addresses_cards_and_numbers_are_found_m14() {
    let text = "key sk-0123456789abcdef, mail Anna.Müller+x@mail.example.org, card 4111 1111 1111 1111 (12/27), \
                call +49 (0)30 1234-567 or 030 1234567 or (415) 555-2671, Bearer abcdefghijklmnop, anna%40example.org";

    assert_eq!(
        clean(text),
        "key <key-1>, mail <email-1>, card <card-1> (12/27), call <phone-1> or <phone-2> or <phone-3>, \
         Bearer <key-2>, <email-2>"
    );
}

#[test]
fn what_only_looks_like_it_stays() {
    for text in [
        "5f0c7a52-9d0e-4c43-8b1f-0d6a4b8e2c11",
        "2026-11-24 10:30:00",
        "01.02.2026, 10.30",
        "0.0123456789 and -1.23456789e-05",
        "version 1.2.3-4567890, week 12 of 40",
        "1790000000 and 1790000000123",
        "4111 1111 1111 1112",
        "task-force, sk-x, a@b",
        "10.0.0.1:8080 and 192.168.100.200",
    ] {
        assert_eq!(clean(text), text);
    }
}

#[test]
fn equal_things_stay_equal_and_different_ones_different() {
    let mut scrubber = Scrubber::default();

    let first = scrubber.text("anna@example.org wrote to ben@example.org");
    let second = scrubber.text("BEN@example.org; 4111-1111-1111-1111 is 4111111111111111");

    assert_eq!(first, "<email-1> wrote to <email-2>");
    assert_eq!(second, "<email-2>; <card-1> is <card-1>");
}

#[test]
fn numbers_go_on_after_those_of_an_earlier_session() {
    let mut scrubber = Scrubber::default();
    scrubber.continue_after("<email-4> <email-2> <phone-1>");

    assert_eq!(scrubber.text("anna@example.org"), "<email-5>");
}

#[test]
fn users_and_secrets_are_known_by_their_keys_and_found_everywhere() {
    let body = r#"{"user_id":"u-81234","metadata":{"user":77},"api_key":"hush-hush","q":"I am u-81234, hush-hush!","role":"user"}"#;

    assert_eq!(
        clean_body(body, Media::Other),
        r#"{"user_id":"<user-1>","metadata":{"user":"<user-2>"},"api_key":"<secret-1>","q":"I am <user-1>, <secret-1>!","role":"user"}"#
    );
}

#[test]
fn the_rest_of_a_body_stays_byte_for_byte() {
    let body = "{ \"a\" :  \"\\u00e9\\u0040 \\n\",\n \"mail\":\"x\\u0040example.org\", \"n\": 1.50e0 }";

    assert_eq!(
        clean_body(body, Media::Other),
        "{ \"a\" :  \"\\u00e9\\u0040 \\n\",\n \"mail\":\"<email-1>\", \"n\": 1.50e0 }"
    );
}

#[test]
fn what_is_cut_over_deltas_is_found_m14() {
    let event = |text: &str| format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n");
    let body = [event("mail an"), event("na@exa"), event("mple.org"), event(" now")].concat();

    let clean = clean_body(&body, Media::Events);

    assert_eq!(clean, [event("mail <email-1>"), event(""), event(""), event(" now")].concat());
}

#[test]
fn probabilities_do_not_spell_what_was_removed_m14() {
    let entry = |token: &str| {
        let bytes: Vec<u8> = token.bytes().collect();
        serde_json::json!({"token": token, "logprob": -0.5, "bytes": bytes})
    };
    let spelled = |text: &str| {
        let tokens: Vec<_> = [" an", "na@exa", "mple.org"].into_iter().map(entry).collect();
        serde_json::json!({"text": text, "logprobs": {"content": tokens}}).to_string()
    };
    let listed = r#"{"text":" anna@example.org","logprobs":{"tokens":[" an","na@exa"],"top_logprobs":[{"mple.org":-1}]}}"#;

    let hidden = r#"{"text":" <email-1>","logprobs":null}"#;
    assert_eq!(clean_body(&spelled(" anna@example.org"), Media::Other), hidden);
    assert_eq!(clean_body(listed, Media::Other), hidden);
    assert_eq!(clean_body(&spelled("hi"), Media::Other), spelled("hi"), "nothing was removed");
    assert_eq!(
        clean_body(
            "data: {\"delta\":\"anna@\",\"logprobs\":[{\"token\":\"anna@\"}]}\n\ndata: {\"delta\":\"example.org\",\"logprobs\":[]}\n\n",
            Media::Events
        ),
        "data: {\"delta\":\"<email-1>\",\"logprobs\":[]}\n\ndata: {\"delta\":\"\",\"logprobs\":[]}\n\n"
    );
}

#[test]
fn bytes_that_are_no_text_do_not_hide_anything() {
    let mut body = b"\xff\xfe anna@example.org \x80".to_vec();
    body.extend_from_slice("é".as_bytes());

    let clean = Scrubber::default().body(&[body.into()], Media::Other).concat();

    assert_eq!(clean, [b"\xff\xfe <email-1> \x80", "é".as_bytes()].concat());
}

#[test]
fn of_a_request_only_harmless_headers_are_kept() {
    let headers = [
        ("authorization", "Bearer own-key-without-prefix"),
        ("cookie", "session=abcdef123456"),
        ("x-custom", "secret"),
        ("content-type", "application/json"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut scrubber = Scrubber::default();

    let kept = request_headers(&mut scrubber, &headers);

    assert_eq!(kept, ["authorization: Bearer <key-1>", "content-type: application/json"]);
    assert_eq!(scrubber.text("own-key-without-prefix abcdef123456"), "<key-1> <secret-1>");
}

#[test]
fn keys_in_a_query_are_hidden() {
    let mut scrubber = Scrubber::default();

    assert_eq!(
        path(&mut scrubber, "/models?key=abcdefgh&limit=3&q=a@example.org"),
        "/models?key=<key-1>&limit=3&q=<email-1>"
    );
}

const CANARIES: [&str; 7] = [
    "sk-CANARY0123456789abcd",
    "canary.bird@example.org",
    "+49 171 2345678",
    "4111 1111 1111 1111",
    "5500005555555559",
    "ghp_CANARY0123456789abcdefghijklmnopqrst",
    "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl",
];

fn canary() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&CANARIES[..])
}

/// Text around a canary that does not run into it.
fn around() -> impl Strategy<Value = String> {
    "[a-zé ]{0,12}".prop_map(|text| format!(" {text} "))
}

/// Writes text as JSON, with more escapes than needed.
fn escaped(text: &str, every: usize) -> String {
    let escape = |(place, c): (usize, char)| match (place % every, c) {
        (0, c) if u32::from(c) < 0x1_0000 => format!("\\u{:04x}", u32::from(c)),
        (_, c) => c.to_string(),
    };
    text.chars().enumerate().map(escape).collect()
}

fn cut(bytes: &[u8], mut places: Vec<usize>) -> Vec<Bytes> {
    for place in &mut places {
        *place %= bytes.len() + 1;
    }
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| Bytes::copy_from_slice(&bytes[pair[0]..pair[1]])).collect()
}

proptest! {
    #[test]
    fn no_canary_gets_through_however_it_is_escaped_and_cut_m14(
        canary in canary(), before in around(), after in around(), every in 1_usize..9,
        places in prop::collection::vec(any::<usize>(), 0..6),
    ) {
        let text = escaped(&format!("{before}{canary}{after}"), every);
        let body = format!("{{\"messages\":[{{\"content\":\"{text}\"}}]}}");

        let clean = Scrubber::default().body(&cut(body.as_bytes(), places), Media::Other).concat();

        let json: serde_json::Value = serde_json::from_slice(&clean).unwrap();
        let kept = json["messages"][0]["content"].as_str().unwrap();
        prop_assert!(kept.contains('<') && !kept.contains(canary), "{kept}");
        prop_assert!(kept.starts_with(&before) && kept.ends_with(&after), "{kept}");
    }

    #[test]
    fn no_canary_gets_through_in_a_stream_however_it_is_cut_m14(
        canary in canary(), before in around(), after in around(),
        deltas in prop::collection::vec(any::<usize>(), 0..8), places in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let text = format!("{before}{canary}{after}");
        let tokens: Vec<char> = text.chars().collect();
        let mut borders: Vec<_> = deltas.iter().map(|place| place % (tokens.len() + 1)).chain([0, tokens.len()]).collect();
        borders.sort_unstable();
        let events = borders.windows(2).map(|pair| {
            let delta: String = tokens[pair[0]..pair[1]].iter().collect();
            format!("data: {}\n\n", serde_json::json!({"choices": [{"delta": {"content": delta}}]}))
        });
        let body = events.collect::<String>() + ": keep-alive\n\ndata: [DONE]\n\n";

        let pieces = cut(body.as_bytes(), places);
        let clean = Scrubber::default().body(&pieces, Media::Events);

        prop_assert_eq!(clean.len(), pieces.len());
        let clean = String::from_utf8(clean.concat()).unwrap();
        let said: String = clean
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line.strip_prefix("data: ")?).ok())
            .map(|json| json["choices"][0]["delta"]["content"].as_str().unwrap().to_owned())
            .collect();
        prop_assert!(said.contains('<') && !said.contains(canary) && !clean.contains(canary), "{clean}");
        prop_assert!(said.starts_with(&before) && said.ends_with(&after), "{said}");
    }

    #[test]
    fn scrubbing_twice_changes_nothing(text in "[ -~äß]{0,40}", canary in canary(), more in "[ -~]{0,20}") {
        let once = clean(&format!("{text} {canary} {more}"));

        prop_assert_eq!(clean(&once), once);
    }

    #[test]
    fn any_json_like_text_is_survived(text in r#"[\[{][\[\]{}:,"\\a-c0-9@ \t\x0b\x0c.-]{0,60}"#) {
        let body = Bytes::from(text);
        prop_assert_eq!(Scrubber::default().body(&[body], Media::Other).len(), 1);
    }

    #[test]
    fn any_bytes_are_survived(body in prop::collection::vec(any::<u8>(), 0..200), places in prop::collection::vec(any::<usize>(), 0..5)) {
        let pieces = cut(&body, places);
        for media in [Media::Events, Media::Other] {
            prop_assert_eq!(Scrubber::default().body(&pieces, media).len(), pieces.len());
        }
    }
}
