//! Words of administrators, as they count in a conversation.

use super::rig::{answer, brief, with_rig};
use crate::storage::SymptomWord;

#[test]
fn a_word_that_another_replica_stored_counts_in_the_first_message_a_second_later_f64() {
    with_rig(
        |_| {},
        async |rig| {
            let word = SymptomWord {
                language: "en".to_owned(),
                folded: "zebrures".to_owned(),
                word: "zébrures".to_owned(),
            };
            let mut client = rig.connect().await;
            let mut turns = Vec::new();
            for _ in 0..2 {
                rig.upstream.script(answer("Hm."));
                client.say("My legs have the ZEBRURES").await;
                turns.push(brief(&client.turn().await));
                rig.storage.add_symptom_word(word.clone()).await.unwrap();
                rig.advance(1.0).await;
            }

            insta::assert_snapshot!(turns.join("\n"), @"
            Hm. done:answered
            calendar Hm. done:answered
            ");
        },
    );
}
