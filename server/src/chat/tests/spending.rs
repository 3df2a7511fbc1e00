//! What answers may cost in a day, over real sockets.

use super::rig::{Act, answer, brief, with_rig};

/// An answer that tells what it costs.
fn priced(tokens: u64) -> Vec<Act> {
    let last = format!(
        "data: {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":\"stop\"}}],\"usage\":{{\"total_tokens\":{tokens}}}}}\n\n"
    );
    vec![Act::Head, Act::Text("Yes"), Act::Raw(last + "data: [DONE]\n\n")]
}

#[test]
fn whoever_has_used_up_the_day_is_told_when_there_is_more_f109() {
    with_rig(
        |config| config.limits.tokens_per_day = 100,
        async |rig| {
            let mut client = rig.connect().await;
            for tokens in [60, 60] {
                rig.upstream.script(priced(tokens));
                client.say("can I eat cheese?").await;
                assert_eq!(brief(&client.turn().await), "Yes done:answered");
            }

            client.say("and figs?").await;
            let refused = client.turn().await;

            assert_eq!(brief(&refused), "fallback done:fallback");
            assert_eq!(refused[1]["retry_after_ms"], 12 * 3600 * 1000);
            assert!(refused[0]["content"].as_str().unwrap().ends_with("in 12 h."), "{refused:?}");
            assert_eq!(rig.upstream.requests().len(), 2);
            client.goodbye().await;
            rig.advance(12.0 * 3600.0).await;
            rig.upstream.script(answer("Sure"));
            let mut client = rig.connect().await;
            client.say("and figs?").await;
            assert_eq!(brief(&client.turn().await), "Sure done:answered");
        },
    );
}

#[test]
fn an_answer_that_is_given_up_is_estimated_and_counted_f109() {
    with_rig(
        |config| config.limits.tokens_per_day = 1,
        async |rig| {
            rig.upstream.script(vec![Act::Head, Act::Text("Yes"), Act::Hold]);
            let mut client = rig.connect().await;
            client.say("can I eat cheese?").await;
            assert_eq!(client.frame().await["content"], "Yes");
            client.goodbye().await;
            client.close_code().await;
            let mut client = rig.connect().await;

            client.say("and figs?").await;

            assert_eq!(brief(&client.turn().await), "fallback done:fallback");
        },
    );
}
