//! The extractor by patterns over folded words.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;

use super::{FactExtractor, Found, birth, week};
use crate::words;

/// Finds week, birth, diet, exercise, symptom and allergies.
#[derive(Clone, Copy, Debug, Default)]
pub struct PatternExtractor;

/// Confidence of something said outright.
const STATED: f64 = 0.9;
/// Confidence of something that a word gives away.
const HINTED: f64 = 0.8;

impl FactExtractor for PatternExtractor {
    fn extract(&self, message: &str, at: Timestamp) -> Vec<Found> {
        let text = clauses(message);
        let mut found = Vec::new();
        if birth::is_told(&text) {
            let value = format!("since {}", at.strftime("%Y-%m-%d"));
            found.push(Found { key: "postpartum", value, confidence: STATED });
        } else if let Some(value) = week::stated(&text) {
            // Weeks beside a birth are those that it came after, or early.
            found.push(Found { key: "pregnancy_week", value, confidence: STATED });
        }
        found.extend(allergy(&text).map(|value| Found { key: "allergies", value, confidence: STATED }));
        for (key, list, confidence) in [
            ("diet_preference", DIETS, STATED),
            ("exercise", EXERCISES, HINTED),
            ("current_symptom", SYMPTOMS, HINTED),
        ] {
            found.extend(named(&text, list).map(|value| Found { key, value, confidence }));
        }
        found
    }
}

/// Joins the folded words by spaces, clauses by ` | `.
fn clauses(message: &str) -> String {
    let mut text = String::new();
    let mut clause = 0;
    for word in words::split(&words::fold(message)) {
        if word.clause != std::mem::replace(&mut clause, word.clause) {
            text.push_str("| ");
        }
        text.push_str(&word.text);
        text.push(' ');
    }
    text
}

#[expect(clippy::expect_used, reason = "patterns are constants, and the tests compile each")]
pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("constant pattern")
}

static ALLERGY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)(?P<before>(?:[a-z]+\ ){0,3})\b(?:allergic\ to|allergy\ to|alergi[ac]a?o?\ (?:a|al)|alergica?o?\ a
          |allergique\ (?:a|au|aux))\ (?:the\ |la\ |las\ |los\ |les\ |l\ |el\ )?
          (?P<what>[a-z]+)(?:\ (?:and|y|et)\ (?P<also>[a-z]+))?",
    )
});

fn allergy(text: &str) -> Option<String> {
    let found = ALLERGY.captures_iter(text).find(|found| !is_denied(found["before"].split(' ')))?;
    let also = found.name("also").map(|also| format!(", {}", also.as_str())).unwrap_or_default();
    Some(format!("{}{also}", &found["what"]))
}

pub(super) const NEGATIONS: [&str; 18] = [
    "not", "no", "never", "dont", "isnt", "arent", "without", "nor", "sin", "nunca", "tampoco", "ni", "pas",
    "sans", "jamais", "n", "stopped", "anymore",
];

fn is_denied<'a>(mut before: impl Iterator<Item = &'a str>) -> bool {
    before.any(|word| NEGATIONS.contains(&word))
}

/// Words and the value that they stand for; a word that ends in `*` is a stem.
type List = &'static [(&'static str, &'static str)];

/// Returns the value of the first word of the list that is not denied in its clause.
fn named(text: &str, list: List) -> Option<String> {
    for clause in text.split('|') {
        let words: Vec<&str> = clause.split_whitespace().collect();
        for (at, _) in words.iter().enumerate() {
            let hit = list.iter().find(|(name, _)| starts(&words[at..], name));
            let before = words[at.saturating_sub(4)..at].iter();
            if let Some((_, value)) = hit.filter(|_| !is_denied(before.copied())) {
                return Some((*value).to_owned());
            }
        }
    }
    None
}

fn starts(words: &[&str], name: &str) -> bool {
    // Of nearly all names the first letter is another one.
    if words.first().and_then(|word| word.bytes().next()) != name.bytes().next() {
        return false;
    }
    let mut words = words.iter();
    name.split(' ').all(|part| {
        words.next().is_some_and(|word| match part.strip_suffix('*') {
            Some(stem) => word.starts_with(stem),
            None => *word == part,
        })
    })
}

const DIETS: List = &[
    ("vegetarian*", "vegetarian"),
    ("vegetarien*", "vegetarian"),
    ("vegan*", "vegan"),
    ("pescatarian*", "pescatarian"),
    ("pescetarian*", "pescatarian"),
    ("gluten free", "gluten-free"),
    ("sin gluten", "gluten-free"),
    ("celiac*", "gluten-free"),
    ("lactose", "lactose-free"),
    ("lactosa", "lactose-free"),
    ("halal", "halal"),
    ("kosher", "kosher"),
    ("low carb", "low-carb"),
    ("keto", "low-carb"),
];

const EXERCISES: List = &[
    ("yoga", "yoga"),
    ("pilates", "pilates"),
    ("swim", "swimming"),
    ("swimming", "swimming"),
    ("natacion", "swimming"),
    ("nado", "swimming"),
    ("natation", "swimming"),
    ("nage", "swimming"),
    ("go for walks", "walking"),
    ("walk every", "walking"),
    ("camino todos", "walking"),
    ("marche tous", "walking"),
    ("go running", "running"),
    ("jogging", "running"),
    ("salgo a correr", "running"),
    ("cours tous", "running"),
    ("cycling", "cycling"),
    ("gym", "gym"),
    ("gimnasio", "gym"),
];

const SYMPTOMS: List = &[
    ("morning sickness", "nausea"),
    ("nause*", "nausea"),
    ("vomit*", "vomiting"),
    ("throwing up", "vomiting"),
    ("headache*", "headache"),
    ("dolor de cabeza", "headache"),
    ("mal de tete", "headache"),
    ("maux de tete", "headache"),
    ("back hurts", "back pain"),
    ("back pain", "back pain"),
    ("backache", "back pain"),
    ("dolor de espalda", "back pain"),
    ("mal au dos", "back pain"),
    ("mal de dos", "back pain"),
    ("heartburn", "heartburn"),
    ("acidez", "heartburn"),
    ("brulures d estomac", "heartburn"),
    ("cramp*", "cramps"),
    ("calambre*", "cramps"),
    ("crampe*", "cramps"),
    ("dizzy", "dizziness"),
    ("dizziness", "dizziness"),
    ("mareo*", "dizziness"),
    ("mareada", "dizziness"),
    ("vertige*", "dizziness"),
    ("swollen", "swelling"),
    ("swelling", "swelling"),
    ("hinchaz*", "swelling"),
    ("hinchad*", "swelling"),
    ("gonfle*", "swelling"),
    ("tired", "fatigue"),
    ("fatigue*", "fatigue"),
    ("cansad*", "fatigue"),
    ("cansancio", "fatigue"),
    ("insomnia", "insomnia"),
    ("insomnio", "insomnia"),
    ("insomnie", "insomnia"),
    ("constipat*", "constipation"),
    ("estrenimiento", "constipation"),
    ("fever*", "fever"),
    ("fiebre", "fever"),
    ("fievre", "fever"),
    ("bleed*", "bleeding"),
    ("sangr*", "bleeding"),
    ("saign*", "bleeding"),
];

#[cfg(test)]
mod tests {
    use crate::extract::tests::found;

    #[test]
    fn diets_exercise_allergies_and_symptoms_are_found_unless_denied() {
        let corpus = [
            ("I am vegetarian", "diet_preference", Some("vegetarian")),
            ("Soy vegana", "diet_preference", Some("vegan")),
            ("Je suis végétarienne", "diet_preference", Some("vegetarian")),
            ("I am not vegan", "diet_preference", None),
            ("I do yoga every day", "exercise", Some("yoga")),
            ("je fais de la natation", "exercise", Some("swimming")),
            ("I am allergic to peanuts and shellfish", "allergies", Some("peanuts, shellfish")),
            ("soy alérgica a la penicilina", "allergies", Some("penicilina")),
            ("je suis allergique aux noix", "allergies", Some("noix")),
            ("I am not allergic to anything", "allergies", None),
            ("I have a headache", "current_symptom", Some("headache")),
            ("tengo náuseas", "current_symptom", Some("nausea")),
            ("j'ai mal au dos", "current_symptom", Some("back pain")),
            ("no headache today", "current_symptom", None),
            ("what can I eat?", "current_symptom", None),
        ];

        for (message, key, value) in corpus {
            assert_eq!(found(message, key).as_deref(), value, "{message}");
        }
    }
}
