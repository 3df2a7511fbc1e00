//! Words of administrators, as they count in a conversation.

use super::rig::{answer, brief, with_rig};
use crate::storage::{GlossaryTerm, SymptomWord};

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

#[test]
fn the_line_of_a_term_is_in_the_prompt_of_whoever_says_it_f63() {
    with_rig(
        |_| {},
        async |rig| {
            let term = GlossaryTerm {
                folded: "cervix".to_owned(),
                term: "cérvix".to_owned(),
                preferred: "neck of the womb".to_owned(),
                avoid: vec!["os".to_owned()],
            };
            for language in ["en", "es"] {
                let term =
                    GlossaryTerm { preferred: format!("{} ({language})", term.preferred), ..term.clone() };
                rig.storage.replace_glossary(language, &[term]).await.unwrap();
            }
            let mut client = rig.connect().await;
            for text in ["What is the CERVIX?", "And the womb?"] {
                rig.upstream.script(answer("Hm."));
                client.say(text).await;
                client.turn().await;
            }

            let prompts = rig.upstream.requests();
            let system = |n: usize| prompts[n]["messages"][0]["content"].as_str().unwrap().to_owned();
            let line = "- cérvix: say “neck of the womb (en)”, not “os”";
            assert!(system(0).lines().any(|told| told == line), "{}", system(0));
            assert!(!system(0).contains("(es)") && !system(1).contains("womb ("));
        },
    );
}

#[test]
fn words_that_cannot_be_read_hold_back_neither_languages_nor_a_start_f54() {
    with_rig(
        |_| {},
        async |rig| {
            let (mut db, watch) = (rig.database().await, rig.hub.languages());
            let mut by_hand = async |text: &'static str| sqlx::raw_sql(text).execute(&mut db).await.unwrap();
            by_hand("ALTER TABLE symptom_words RENAME TO elsewhere").await;
            by_hand("INSERT INTO languages VALUES ('fr', 'French', 'Français', true, true)").await;

            watch.start().await.unwrap();

            assert!(watch.languages().set().is_enabled("fr"));
            let problem = watch.languages().problem().unwrap();
            assert!(problem.starts_with("words could not be read: "), "{problem}");
            by_hand("ALTER TABLE elsewhere RENAME TO symptom_words").await;
            watch.reload().await.unwrap();
            assert_eq!(watch.languages().problem(), None);
        },
    );
}
