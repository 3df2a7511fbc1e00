//! The week of a pregnancy.

use std::sync::LazyLock;

use regex::Regex;

use super::numbers::in_digits;

/// The number, what leads to it and what follows.
static WEEK: LazyLock<Regex> = LazyLock::new(|| {
    super::patterns::pattern(
        r"(?x)(?P<before>(?:[a-z]+\ ){0,2})\b(?P<week>\d{1,2})(?:\ \d)?\ ?
          (?:weeks?|wks?|wk|w(?:\d\ ?d)?|semanas?|sem|semaines?|sa)\b(?P<after>(?:\ [a-z]+){0,2})",
    )
});

static WEEK_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    super::patterns::pattern(
        r"(?P<before>(?:[a-z]+ ){0,2})\b(?:week|semana|semaine) (?:numero |number )?(?P<week>\d{1,2})\b(?P<after>(?:\ [a-z]+){0,2})",
    )
});

/// A week that is said to be one's own: "I am in week 22" is not "what happens in week 22".
static OWN_WEEK: LazyLock<Regex> = LazyLock::new(|| {
    super::patterns::pattern(
        r"(?x)\b(?:im|i\ am|we\ are|were|estoy|voy|suis)
          (?:\ (?:in|at|on|now|already|the|my|en|por|la|ya|mi|a|dans|ma|deja))*
          \ (?:week|semana|semaine)\ (?:numero\ |number\ )?(?P<week>\d{1,2})\b",
    )
});

/// Words that make "22 weeks" something else than the age of the pregnancy.
const ELSEWHEN: [&str; 48] = [
    "early",
    "late",
    "for",
    "in",
    "every",
    "last",
    "past",
    "next",
    "after",
    "before",
    "within",
    "ago",
    "old",
    "later",
    "left",
    "off",
    "since",
    "until",
    "till",
    "more",
    "another",
    "hace",
    "en",
    "cada",
    "durante",
    "ultimas",
    "proximas",
    "dentro",
    "despues",
    "antes",
    "faltan",
    "quedan",
    "depuis",
    "dans",
    "pendant",
    "toutes",
    "prochaines",
    "dernieres",
    "apres",
    "avant",
    "il",
    "reste",
    "encore",
    "than",
    "at",
    "by",
    "from",
    "mas",
];

/// Words that make it the age of the pregnancy after all.
const PREGNANT: [&str; 14] = [
    "pregnant",
    "along",
    "pregnancy",
    "gestation",
    "embarazada",
    "embarazo",
    "gestacion",
    "enceinte",
    "grossesse",
    "now",
    "today",
    "ya",
    "amenorrhee",
    "preggo",
];

/// Whose weeks are their age.
const CHILD: [&str; 2] = ["baby", "bebe"];

pub(super) fn stated(text: &str) -> Option<String> {
    let text = &in_digits(text);
    if let Some(found) = OWN_WEEK.captures(text) {
        return within(&found["week"]);
    }
    let found = WEEK.captures_iter(text).chain(WEEK_FIRST.captures_iter(text)).find(|found| {
        let has = |name: &str, list: &[&str]| found[name].split(' ').any(|word| list.contains(&word));
        let is_elsewhen = has("before", &ELSEWHEN) || has("after", &ELSEWHEN) && !has("after", &PREGNANT);
        let is_own = has("after", &PREGNANT) || !is_elsewhen && !has("before", &super::patterns::NEGATIONS);
        is_own && !has("before", &CHILD)
    })?;
    within(&found["week"])
}

/// Returns a week that a pregnancy can have.
fn within(week: &str) -> Option<String> {
    let week: u32 = week.parse().ok()?;
    (1..=42).contains(&week).then(|| week.to_string())
}

#[cfg(test)]
mod tests {
    use crate::extract::tests::found;

    #[test]
    fn the_week_is_read_whole_and_only_as_the_age_of_the_pregnancy_f43() {
        let corpus = [
            ("I am 22 weeks pregnant", Some("22")),
            ("22 weeks", Some("22")),
            ("I'm 14 weeks along", Some("14")),
            ("I'm at week 31 now", Some("31")),
            ("now 20 weeks and all is well", Some("20")),
            ("Estoy de 22 semanas", Some("22")),
            ("tengo 9 semanas de embarazo", Some("9")),
            ("Je suis enceinte de 12 semaines", Some("12")),
            ("je suis à 30 SA", Some("30")),
            ("I am 22w pregnant", Some("22")),
            ("I'm 22w3d", Some("22")),
            ("twenty-two weeks pregnant", Some("22")),
            ("I am in week 22", Some("22")),
            ("what happens in week 22", None),
            ("estoy de veintidós semanas", Some("22")),
            ("Estoy en la semana 22", Some("22")),
            ("¿qué pasa en la semana 22?", None),
            ("cumplí treinta y una semanas", Some("31")),
            ("je suis à vingt-deux semaines", Some("22")),
            ("je suis dans la semaine 22", Some("22")),
            ("enceinte de dix-sept semaines", Some("17")),
            ("il me reste vingt-deux semaines", None),
            ("once a week I swim", None),
            ("faltan doce semanas", None),
            ("it began 2 weeks ago", None),
            ("my scan is in 3 weeks", None),
            ("I have had a cold for 2 weeks", None),
            ("hace 2 semanas me caí", None),
            ("depuis 3 semaines j'ai mal", None),
            ("my dog is 12 weeks old", None),
            ("I am 90 weeks pregnant", None),
            ("222 weeks", None),
            ("I had my baby 3 weeks early", None),
            ("di a luz a las 39 semanas", None),
            ("j'ai accouché à 39 semaines", None),
            ("My baby is 6 weeks today", None),
            ("mi bebé tiene 3 semanas", None),
        ];

        for (message, week) in corpus {
            assert_eq!(found(message, "pregnancy_week").as_deref(), week, "{message}");
        }
    }
}
