//! Requests that the model refuses or sends elsewhere.

use super::rig::{Act, answer, brief, with_rig};

fn raw(text: &str) -> Vec<Act> {
    vec![Act::Raw(text.to_owned())]
}

#[test]
fn a_message_that_moderation_refused_does_not_silence_the_user() {
    with_rig(
        |_| {},
        async |rig| {
            let refusal = "HTTP/1.1 400 Bad Request\r\ncontent-length: 19\r\n\r\nContent Exists Risk";
            rig.upstream.script(raw(refusal));
            let mut client = rig.connect().await;
            client.say("what about that forbidden thing?").await;
            assert_eq!(brief(&client.turn().await), "fallback done:fallback");
            rig.upstream.script(raw(refusal));
            rig.upstream.script(answer("Yes"));

            client.say("can I fly while pregnant?").await;

            assert_eq!(brief(&client.turn().await), "Yes done:answered");
            let requests = rig.upstream.requests();
            let lengths: Vec<_> = requests.iter().map(|r| r["messages"].as_array().unwrap().len()).collect();
            assert_eq!(lengths, [2, 3, 2], "asked once more, without what was refused before");
        },
    );
}

#[test]
fn a_redirect_is_followed_at_home_and_nowhere_else() {
    let redirect = |to: &str| {
        raw(&format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"))
    };
    with_rig(
        |config| config.llm.retries = 0,
        async |rig| {
            rig.upstream.script(redirect("/elsewhere/chat/completions"));
            rig.upstream.script(answer("Yes"));
            let mut client = rig.connect().await;
            client.say("can I fly while pregnant?").await;
            assert_eq!(brief(&client.turn().await), "Yes done:answered");

            rig.upstream.script(redirect("http://localhost:1/chat/completions"));
            client.say("can I fly in week 30?").await;

            assert_eq!(brief(&client.turn().await), "fallback done:fallback");
            assert_eq!(rig.upstream.requests().len(), 3, "the foreign host was not asked");
        },
    );
}
