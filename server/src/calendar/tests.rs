//! What is proposed for what was said, and in which words.

use jiff::civil;

use super::*;
use crate::{classify, texts::FluentTexts};

#[test]
fn only_symptoms_dates_and_things_to_think_of_lead_to_a_proposal_f68() {
    use Intent::{PregnancyQuestion, SchedulingRelated, SmallTalk, SymptomReport, Unclear};
    use Priority::{High, Low, Medium, Urgent};
    use SuggestionType::{Appointment, Reminder, SymptomFollowup};
    let table: [_; 40] = [
        (SymptomReport, "I have a headache", Some((SymptomFollowup, High))),
        (SymptomReport, "me duele la espalda", Some((SymptomFollowup, High))),
        (SymptomReport, "j'ai mal au dos", Some((SymptomFollowup, High))),
        (SymptomReport, "the headache gets worse", Some((SymptomFollowup, Urgent))),
        (SymptomReport, "me duele fuerte la espalda", Some((SymptomFollowup, Urgent))),
        (SymptomReport, "my back pain is worsening", Some((SymptomFollowup, Urgent))),
        (SymptomReport, "an unbearable headache", Some((SymptomFollowup, Urgent))),
        (SymptomReport, "the pain came suddenly", Some((SymptomFollowup, Urgent))),
        (SymptomReport, "me duele cada vez peor", Some((SymptomFollowup, Urgent))),
        (SymptomReport, "la hinchazón empeora", Some((SymptomFollowup, Urgent))),
        (SymptomReport, "un dolor repentino en la pierna", Some((SymptomFollowup, Urgent))),
        (SymptomReport, "les nausées empirent", Some((SymptomFollowup, Urgent))),
        (SymptomReport, "une douleur soudaine au dos", Some((SymptomFollowup, Urgent))),
        (SymptomReport, "a mild pain that gets worse", Some((SymptomFollowup, Urgent))),
        (SymptomReport, "un léger mal de dos", Some((SymptomFollowup, Medium))),
        (SymptomReport, "a slight headache", Some((SymptomFollowup, Medium))),
        (SymptomReport, "me duele un poco la espalda", Some((SymptomFollowup, Medium))),
        (SymptomReport, "j'ai un peu mal au dos", Some((SymptomFollowup, Medium))),
        (SymptomReport, "my back hurts since a fortnight", Some((SymptomFollowup, High))),
        (SymptomReport, "remind me of my headache", Some((SymptomFollowup, High))),
        (SchedulingRelated, "book a scan tomorrow", Some((Appointment, Medium))),
        (SchedulingRelated, "quiero una cita hoy", Some((Appointment, Medium))),
        (SchedulingRelated, "je voudrais un rendez-vous demain", Some((Appointment, Medium))),
        (SchedulingRelated, "remind me to call the midwife", Some((Appointment, Low))),
        (SchedulingRelated, "when is my next visit", Some((Appointment, Low))),
        (SchedulingRelated, "remind me of my appointment", Some((Appointment, Low))),
        (SchedulingRelated, "recuérdame la cita del lunes", Some((Appointment, Low))),
        (SchedulingRelated, "remind me to buy a cot next Monday", Some((Reminder, Low))),
        (SchedulingRelated, "recuérdame comprar pañales el lunes", Some((Reminder, Low))),
        (SchedulingRelated, "rappelle-moi d'acheter des couches lundi", Some((Reminder, Low))),
        (SchedulingRelated, "remind me tomorrow to buy a cot", Some((Reminder, Medium))),
        (SchedulingRelated, "remind me of my insulin on Monday", Some((Reminder, Medium))),
        (SchedulingRelated, "rappelle-moi mes médicaments lundi", Some((Reminder, Medium))),
        (SchedulingRelated, "recuérdame las gotas el lunes", Some((Reminder, Medium))),
        (PregnancyQuestion, "is cheese safe, urgent", None),
        (PregnancyQuestion, "remind me what folate is for", None),
        (SmallTalk, "hello", None),
        (SmallTalk, "gracias, hasta mañana", None),
        (Unclear, "hm", None),
        (Unclear, "me duele, creo", None),
    ];

    let wrong = table.into_iter().filter(|(intent, content, expected)| {
        should_suggest(*intent, content).map(|idea| (idea.kind, idea.priority)) != *expected
    });
    assert_eq!(wrong.collect::<Vec<_>>(), []);
}

#[test]
fn what_is_to_be_thought_of_is_understood_in_each_language_f68() {
    for (language, content) in [
        ("en", "Please remind me to buy a cot next Monday"),
        ("es", "Recuérdame comprar una cuna el lunes"),
        ("fr", "Rappelle-moi d'acheter un berceau lundi"),
    ] {
        assert_eq!(
            classify::classify(content, language, None, &classify::SymptomWords::default()).intent,
            Intent::SchedulingRelated,
            "{content}"
        );
    }
}

/// Proposes something for what was said on Tuesday, 3 March 2026, 10:30 in Madrid.
fn proposed(said: &str, choices: &Choices, busy: &[Timestamp]) -> String {
    let zone: crate::storage::Zone = "Europe/Madrid".parse().unwrap();
    let choices = Choices { time_zone: zone.clone(), ..choices.clone() };
    let at = civil::date(2026, 3, 3).at(10, 30, 0, 0).in_tz("Europe/Madrid").unwrap().timestamp();
    let occasion = Occasion {
        user: UserId::random(),
        language: "es",
        said,
        choices: &choices,
        busy,
        slot: Duration::from_mins(30),
        at,
        life: Duration::from_mins(5),
    };
    let idea = Idea { kind: SuggestionType::SymptomFollowup, priority: Priority::High };
    let offer = build(idea, &occasion, &FluentTexts::built_in());
    assert_eq!(offer.title, "Revisar cómo sigue el síntoma");
    assert_eq!(offer.expires_at, at + Duration::from_mins(5));
    zone.at(offer.suggested_time).strftime("%m-%d %H:%M").to_string()
}

#[test]
fn a_proposal_takes_the_time_that_is_named_and_else_the_users_own_f69_f83() {
    let late = Choices { default_time: "18:15".parse().unwrap(), ..Choices::default() };

    assert_eq!(proposed("me duele la cabeza", &Choices::default(), &[]), "03-04 09:00");
    assert_eq!(proposed("me duele la cabeza", &late, &[]), "03-04 18:15");
    assert_eq!(proposed("mírame el lunes", &late, &[]), "03-09 18:15");
    assert_eq!(proposed("mírame hoy", &Choices::default(), &[]), "03-03 12:00");
    assert_eq!(proposed("mírame mañana a las 10", &late, &[]), "03-04 10:00");
    // Clocks go forward in the night to 29 March.
    assert_eq!(proposed("mírame el 29 de marzo", &Choices::default(), &[]), "03-29 09:00");
}

#[test]
fn a_time_of_ours_is_moved_and_one_that_the_user_names_is_not_f80_f84() {
    let night = Choices { default_time: "23:00".parse().unwrap(), ..Choices::default() };
    let nine = [civil::date(2026, 3, 4).at(9, 0, 0, 0).in_tz("Europe/Madrid").unwrap().timestamp()];

    assert_eq!(proposed("me duele", &night, &[]), "03-05 08:00");
    assert_eq!(proposed("mañana a las 23:00", &night, &[]), "03-04 23:00");
    assert_eq!(proposed("me duele", &Choices::default(), &nine), "03-04 09:30");
    assert_eq!(proposed("mañana a las 9", &Choices::default(), &nine), "03-04 09:00");
}

/// A proposal is an offer: no text of one tells the user what to do when, as a doctor would.
#[test]
fn no_text_of_a_proposal_asserts_a_medical_time_f77() {
    const FORBIDDEN: [&str; 18] = [
        "you must",
        "you need to",
        "you should",
        "every ",
        " hours",
        " mg",
        "dose",
        "take your",
        "debes",
        "tiene que",
        "tienes que",
        "cada ",
        " horas",
        "dosis",
        "vous devez",
        "tu dois",
        "toutes les",
        "il faut",
    ];
    let (texts, said) = (FluentTexts::built_in(), [("said", "…".to_owned()), ("when", "…".to_owned())]);
    let mut seen = 0;
    for language in ["en", "es", "fr"] {
        for kind in ["symptom_followup", "appointment", "reminder"] {
            for part in ["title", "description"] {
                let text =
                    texts.text(&format!("suggestion.{kind}_{part}"), language, &said).text.to_lowercase();
                assert!(!text.contains("suggestion."), "{language} {kind} {part} is missing");
                let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
                assert!(!has_digit, "{language}: `{text}` holds a number");
                for word in FORBIDDEN {
                    assert!(!text.contains(word), "{language}: `{text}` says `{word}`");
                }
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 18);
}

#[test]
fn a_proposal_is_in_one_language_from_its_title_to_its_date_f65() {
    let at = civil::date(2026, 11, 30).at(10, 0, 0, 0).in_tz("Europe/Paris").unwrap().timestamp();
    let choices = Choices { time_zone: "Europe/Paris".parse().unwrap(), ..Choices::default() };
    let shown = |language: &str, said: &str| {
        let occasion = Occasion {
            user: UserId::random(),
            language,
            said,
            choices: &choices,
            busy: &[],
            slot: Duration::from_mins(30),
            at,
            life: Duration::from_mins(5),
        };
        let idea = Idea { kind: SuggestionType::Appointment, priority: Priority::Low };
        let offer = build(idea, &occasion, &FluentTexts::built_in());
        format!("{}: {}", offer.title, offer.description)
    };

    let all = [
        shown("en", "an appointment on 3 December at 10:00"),
        shown("es", "cita el 3 de diciembre a las 10:00"),
        shown("fr", "rendez-vous le 3 décembre à 10 h"),
        shown("pt", "an appointment on 1 December at 10:00"),
    ];
    insta::assert_snapshot!(all.join("\n"), @"
    Appointment: An entry for the appointment that you mentioned, proposed for December 3 at 10:00. Please set the time that you agreed on.
    Cita: Una entrada para la cita que has mencionado, propuesta para el 3 de diciembre, 10:00 h. Pon la hora que hayas acordado.
    Rendez-vous: Une entrée pour le rendez-vous dont vous avez parlé, proposée pour le 3 décembre à 10:00. Indiquez l'heure dont vous avez convenu.
    Appointment: An entry for the appointment that you mentioned, proposed for December 1 at 10:00. Please set the time that you agreed on.
    ");
}
