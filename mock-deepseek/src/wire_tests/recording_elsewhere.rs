//! Recording what is no chat over HTTP/1: other forms of the API, uploads, HTTP/2 and TLS.

use super::{
    ends::in_lab,
    http2,
    observe::{ask, chat, post_to, script},
    recording::{MESSAGES, SPAN, both, builder},
    secure,
    surfaces::body_of,
};
use crate::{Cassette, Fault, How, Script, Tls};

const SPOKEN: [&str; 4] =
    ["canary.bird@example.org", "+49 171 2345678", "sk-CANARY0123456789abcd", "4111 1111 1111 1111"];

const CALL: &str = r#"{"model":"deepseek-flash","messages":[{"role":"user","content":"call"}],"tools":[{"type":"function","function":{"name":"week"}}],"stream":true}"#;

#[test]
fn no_form_lets_a_canary_into_the_file_m14() {
    let said = SPOKEN.join(", ");
    let rules = format!(
        "[[rules]]\nmatch = {{ contains = \"call\" }}\nreply = {{ thinking = \"\", calls = [{{ name = \"week\", arguments = '{{\"of\":\"{said}\"}}' }}] }}\n[default]\nreply = {{ thinking = \"{said}\", text = \"{said}\" }}\n"
    );
    let probable = r#","stream":true,"logprobs":true,"top_logprobs":3"#;
    let requests = [
        chat(probable, ""),
        chat(&probable.replace("true,\"logprobs", "false,\"logprobs"), ""),
        post_to("/chat/completions", CALL, ""),
        post_to(
            "/beta/completions",
            r#"{"model":"deepseek-v4-pro","prompt":"hi","stream":true,"logprobs":3}"#,
            "",
        ),
        post_to("/beta/completions", r#"{"model":"deepseek-v4-pro","prompt":"hi","logprobs":3}"#, ""),
        post_to("/anthropic/v1/messages", MESSAGES, ""),
        post_to("/anthropic/v1/messages", &MESSAGES.replace("true", "false"), ""),
        post_to("/responses", r#"{"model":"deepseek-flash","input":"hi","stream":true}"#, ""),
        post_to("/responses", r#"{"model":"deepseek-flash","input":"hi"}"#, ""),
    ];
    in_lab(|lab| async move {
        let upstream = builder(&lab).script(Script::from_toml(&rules).unwrap()).start().await.unwrap();

        let (live, _, file) = both(&lab, &upstream.url(), &requests).await;

        for told in &live {
            assert!(told.seen.text().starts_with("HTTP/1.1 200 OK\r\n"), "{}", told.seen.text());
        }
        for canary in SPOKEN {
            assert!(!file.contains(canary), "{canary}");
            for word in canary.split([' ', '@', '.']).filter(|word| word.len() > 4) {
                assert!(!file.contains(word), "{word} of {canary}");
                let bytes = word.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(",");
                assert!(!file.contains(&bytes), "the bytes of {word}");
            }
        }
    });
}

fn form(boundary: &str, text: &str) -> String {
    let body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nuser_data\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n{text}\r\n--{boundary}--\r\n"
    );
    post_to("/files", &body, "")
        .replace("application/json", &format!("multipart/form-data; boundary={boundary}"))
}

#[test]
fn an_upload_goes_on_whole_and_its_replay_does_not_look_at_the_boundary_m14() {
    in_lab(|lab| async move {
        let upstream = builder(&lab).start().await.unwrap();
        let (_, _, file) = both(&lab, &upstream.url(), &[form("b", "12345")]).await;
        let player = builder(&lab).replay(file.parse::<Cassette>().unwrap()).start().await.unwrap();

        let other = ask(&lab, player.address(), &form("----c7", "12345"), SPAN).await.text();
        let miss = ask(&lab, player.address(), &form("b", "54321"), SPAN).await.text();

        assert!(other.starts_with("HTTP/1.1 200 ") && other.contains(r#""bytes":5,"#), "{other}");
        assert!(miss.starts_with("HTTP/1.1 404 "), "{miss}");
    });
}

#[test]
fn http2_and_tls_are_recorded_and_replayed_as_well_m14() {
    in_lab(|lab| async move {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.jsonl");
        let tls = Tls::own().unwrap();
        let upstream = builder(&lab).script(script("")).start().await.unwrap();
        let recorder = builder(&lab).record(upstream.url(), &path).tls(tls.clone()).start().await.unwrap();
        let live = http2::ask_over_http2(&lab, &recorder, &tls).await;
        assert_eq!(recorder.recorded().unwrap().kept, 1);
        recorder.stop().await;
        let player =
            builder(&lab).replay(Cassette::read(&path).unwrap()).tls(tls.clone()).start().await.unwrap();

        let replayed = http2::ask_over_http2(&lab, &player, &tls).await;

        assert_eq!(live, replayed);
        let story = String::from_utf8(upstream.journal()[0].written_bytes()).unwrap();
        assert_eq!(live, body_of(&story));
        assert_eq!((player.journal()[0].events, player.journal()[0].end.unwrap().how), (7, How::Completed));
    });
}

#[test]
fn an_upstream_that_breaks_off_breaks_off_http2_as_well_m14() {
    in_lab(|lab| async move {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.jsonl");
        let broken = Script::with_faults([Fault::new("chunked-cut").unwrap()]);
        let upstream = builder(&lab).script(broken).start().await.unwrap();
        let recorder = builder(&lab).record(upstream.url(), &path).start().await.unwrap();
        let client = http2::begin(secure::connect(&lab, &recorder).await).await;

        let (live, error) = http2::ask(&client, "").await;

        assert!(error.is_some() && live.starts_with("data: "), "{live}");
        recorder.stop().await;
        let player = builder(&lab).replay(Cassette::read(&path).unwrap()).start().await.unwrap();
        let client = http2::begin(secure::connect(&lab, &player).await).await;
        let (replayed, error) = http2::ask(&client, "").await;
        assert!(error.is_some() && live == replayed, "{replayed}");
    });
}
