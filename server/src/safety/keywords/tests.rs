//! Fifteen signs in three languages, and what must not be flagged.

use super::*;

/// One line a sign: its name and how it is said in English, Spanish and French.
const SIGNS: [(&str, [&str; 3]); 15] = [
    ("bleeding", ["I am bleeding", "estoy sangrando", "je saigne beaucoup"]),
    (
        "severe_headache",
        ["I have a severe headache", "tengo un dolor de cabeza muy fuerte", "j'ai de violents maux de tête"],
    ),
    ("vision_change", ["my vision is blurry", "tengo la visión borrosa", "j'ai la vue trouble"]),
    ("fetal_movement", ["my baby is not moving", "mi bebé no se mueve", "mon bébé ne bouge plus"]),
    (
        "abdominal_pain",
        [
            "severe pain in my belly",
            "tengo un dolor de estómago insoportable",
            "j'ai une douleur intense au ventre",
        ],
    ),
    ("chest_pain", ["I have chest pain", "me duele el pecho", "j'ai mal à la poitrine"]),
    ("breathing", ["I can't breathe", "no puedo respirar", "je n'arrive pas à respirer"]),
    ("fever", ["I have a fever of 39", "tengo fiebre de 38,5", "j'ai de la fièvre"]),
    ("seizure", ["I had a seizure", "tuve una convulsión", "j'ai eu une crise d'épilepsie"]),
    ("fainting", ["I fainted this morning", "me desmayé", "je me suis évanouie"]),
    ("swelling", ["my face is swollen", "tengo las manos hinchadas", "mon visage est gonflé"]),
    ("fluid_leak", ["my water broke", "se me rompió la fuente", "j'ai perdu les eaux"]),
    ("self_harm", ["I want to kill myself", "quiero morir", "j'ai envie de mourir"]),
    (
        "leg_clot",
        [
            "my leg is swollen and red and it hurts, one leg",
            "tengo la pierna hinchada y me duele",
            "ma jambe est rouge et me fait mal",
        ],
    ),
    (
        "severe_vomiting",
        [
            "I can't keep anything down",
            "no puedo dejar de vomitar",
            "je n'arrête pas de vomir, je ne garde rien",
        ],
    ),
];

fn sign(message: &str) -> Option<&'static str> {
    KeywordRedFlags::new().find(message).map(|flag| flag.sign)
}

#[test]
fn every_sign_is_found_in_each_language_in_any_dress() {
    let flags = KeywordRedFlags::new();
    let mut missed = Vec::new();
    for (sign, sentences) in SIGNS {
        for sentence in sentences {
            for dressed in [
                sentence.to_owned(),
                sentence.to_uppercase(),
                format!("Hi, {sentence}"),
                format!("Hola! {sentence}."),
                format!("bonjour {sentence}"),
                format!("thanks for yesterday. {sentence} what should I eat?"),
                sentence.replace('\'', "’"),
            ] {
                if flags.find(&dressed).is_none_or(|flag| flag.sign != sign) {
                    missed.push((sign, dressed));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn what_is_denied_is_not_flagged() {
    for message in [
        "no bleeding",
        "I am not bleeding",
        "I'm not bleeding at all",
        "there is no bleeding today",
        "without bleeding or fever",
        "I don't have chest pain",
        "I have no fever",
        "I did not faint",
        "I never had a seizure",
        "sin sangrado",
        "no estoy sangrando",
        "no tengo fiebre",
        "no me duele el pecho",
        "nunca me desmayé",
        "je ne saigne pas",
        "pas de saignement",
        "sans fièvre",
        "je n'ai pas de fièvre",
        "aucun saignement",
        "is the hay fever season over",
        "temperature is fine, fever only 37.2",
        "fever of 99.1",
    ] {
        assert_eq!(sign(message), None, "{message}");
    }
}

#[test]
fn a_denial_elsewhere_does_not_hide_a_sign() {
    for message in [
        "No, I am bleeding",
        "I can't stop bleeding",
        "the bleeding won't stop",
        "I have never had such chest pain",
        "not only pain, I am bleeding",
        "no fever but I am bleeding",
        "I have no appetite and a fever of 39",
        "no dejo de sangrar",
        "no tengo fiebre pero estoy sangrando",
        "je n'arrête pas de saigner",
        "pas de fièvre mais je saigne",
    ] {
        assert!(sign(message).is_some(), "{message}");
    }
}

#[test]
fn a_typing_error_does_not_hide_a_sign() {
    for message in [
        "I am bleding",
        "I am bleedign",
        "had a siezure",
        "severe headach",
        "I faintd",
        "tengo convulsines",
        "estoy sangarndo",
        "mon bébé ne bouge plus, saignemnt",
    ] {
        assert!(sign(message).is_some(), "{message}");
    }
}

#[test]
fn everyday_messages_are_not_flagged() {
    for message in [
        "hello",
        "I have a mild headache",
        "I have a headache",
        "my back hurts",
        "is it safe to eat cheese?",
        "can I drink water during the night",
        "what should I pack for the hospital",
        "I feel nausea in the morning",
        "my feet are a bit swollen",
        "when does the baby start moving",
        "breathing exercises for labor",
        "how do I breathe during contractions",
        "me duele la espalda",
        "tengo náuseas",
        "¿cuándo se mueve el bebé?",
        "j'ai mal au dos",
        "un peu de nausée ce matin",
        "quand le bébé va bouger",
        "I see my doctor on Friday",
        "book an appointment for week 22",
        "I am painting the nursery",
        "which vitamins do I need",
    ] {
        assert_eq!(sign(message), None, "{message}");
    }
}

#[test]
fn a_message_of_full_length_takes_little_time() {
    let flags = KeywordRedFlags::new();
    let message = "the baby is not cold and pain no more severe belly head ".repeat(72);
    let limit = std::time::Duration::from_millis(if cfg!(debug_assertions) { 400 } else { 20 });

    let clock = clock::SystemClock::new();
    let _ = flags.find(&message[..4000]);

    assert!(clock::Clock::now(&clock).since_origin() < limit);
}
