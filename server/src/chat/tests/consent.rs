//! Consent over real sockets: asked, given, taken back while an answer runs.

use crate::{
    chat::tests::rig::{Act, Rig, answer, brief, until, with_rig},
    consent::Consents,
    storage::Purpose,
};

/// Lets the rig's user agree.
async fn agree(rig: &Rig) -> Consents {
    let consents = Consents::new(&rig.hub.parts);
    let shown = consents.words(&rig.user, Purpose::AiProviderTransfer).shown;
    consents.give(&rig.user, Purpose::AiProviderTransfer, &shown).await.unwrap();
    consents
}

#[test]
fn the_model_is_asked_from_the_moment_of_consent_on_f114() {
    with_rig(
        |config| config.privacy.ask_consent = true,
        async |rig| {
            rig.upstream.script(answer("Yes"));
            let mut client = rig.connect().await;

            client.say("can I eat cheese?").await;
            let told = client.turn().await;
            assert_eq!(brief(&told), "canned done:canned");
            assert_eq!(
                (&told[0]["code"], &told[1]["code"]),
                (&"consent_needed".into(), &"consent_needed".into())
            );
            assert_eq!((rig.upstream.requests().len(), rig.stored().await.len()), (0, 0));
            agree(&rig).await;
            client.say("can I eat cheese?").await;

            assert_eq!(brief(&client.turn().await), "Yes done:answered");
        },
    );
}

#[test]
fn an_answer_stops_within_a_second_of_the_withdrawal_f114() {
    with_rig(
        |config| config.privacy.ask_consent = true,
        async |rig| {
            rig.upstream.script(vec![Act::Head, Act::Text("Yes"), Act::Hold]);
            let consents = agree(&rig).await;
            let mut client = rig.connect().await;
            client.say("can I eat cheese?").await;
            assert_eq!(client.frame().await["content"], "Yes");
            let before = rig.seconds();

            consents.withdraw(rig.user.id, Purpose::AiProviderTransfer).await.unwrap();
            rig.advance(1.0).await;

            assert_eq!(brief(&client.turn().await), "notice done:interrupted");
            assert!(rig.seconds() - before <= 1.0);
            until(|| rig.upstream.closed() == 1).await;
            assert_eq!(rig.stored().await, ["Said: can I eat cheese?", "Interrupted: Yes"]);
        },
    );
}
