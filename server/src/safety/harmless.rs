//! What takes a sign back: a denial before it, a past long gone, a question about what may be, somebody who
//! is not a patient.
//!
//! Each rule is narrow on purpose. A rule that is too wide hides an emergency; a rule that is too narrow
//! only shows a warning that nobody needed.

use std::ops::Range;

use super::{
    lists,
    phrasebook::{Kind, Phrasebook},
};
use crate::words::Word;

/// So many words before a pattern a denial still reaches it.
const DENIAL_REACH: usize = 4;
/// So many words before the last word of a pattern a denial within the pattern reaches it.
const INNER_REACH: usize = 2;
/// So many words after others a sign may still be theirs.
const THEIRS_REACH: usize = 40;
/// So many words after a fever its reading is looked for.
const READING_REACH: usize = 9;

/// Phrases that make words harmless.
#[derive(Debug)]
pub(super) struct Harmless {
    phrases: Phrasebook,
}

/// What of one message is harmless.
#[derive(Debug)]
pub(super) struct Excuses {
    /// For each word whether it belongs to a phrase that means something else.
    pub(super) covered: Vec<bool>,
    /// Clauses that tell of a time long gone, or of what may be.
    elsewhen: Vec<usize>,
    /// Where words about others end, in order.
    others: Vec<usize>,
    is_back: bool,
}

impl Harmless {
    /// Takes the phrases that are compiled in.
    pub(super) fn new() -> Self {
        Self { phrases: Phrasebook::new(lists::phrases()) }
    }

    /// Looks a message through.
    pub(super) fn excuses(&self, words: &[Word<'_>]) -> Excuses {
        let (mut covered, mut elsewhen, mut others) = (vec![false; words.len()], Vec::new(), Vec::new());
        for (kind, place) in self.phrases.places(words) {
            match kind {
                Kind::Covered => covered[place].fill(true),
                Kind::Elsewhen => elsewhen.push(words[place.start].clause),
                Kind::Others => others.push(place.end),
            }
        }
        others.sort_unstable();
        let is_back = words.windows(2).any(|pair| BACK.contains(&[&*pair[0].text, &*pair[1].text]))
            || words.iter().any(|word| word.text == "again");
        Excuses { covered, elsewhen, others, is_back }
    }
}

impl Excuses {
    /// Returns whether the sign at these places is denied, long gone, or somebody else's.
    pub(super) fn cover(&self, words: &[Word<'_>], sign: Range<usize>) -> bool {
        let clause = words[sign.start].clause;
        is_denied(&words[..sign.start], DENIAL_REACH)
            || sign.len() > 1 && is_denied(&words[sign.start..sign.end - 1], INNER_REACH)
            || is_low_reading(words, &sign)
            || self.elsewhen.contains(&clause) && !self.is_back && !is_now(words, clause)
            || self.other_before(sign.start).is_some_and(|other| is_theirs(words, other..sign.start))
    }

    /// Returns where the last words about others before a place end. Those before them have more between, and excuse
    /// less.
    fn other_before(&self, place: usize) -> Option<usize> {
        let count = self.others.partition_point(|other| *other <= place);
        self.others[..count].last().copied().filter(|other| place - other <= THEIRS_REACH)
    }
}

/// Returns whether the words before a sign deny it: "no", "sin", "ne" in the same clause.
fn is_denied(before: &[Word<'_>], reach: usize) -> bool {
    let clause = |word: &&Word<'_>| before.last().is_some_and(|last| last.clause == word.clause);
    let near: Vec<&str> =
        before.iter().rev().take_while(clause).take(reach).map(|word| &*word.text).collect();
    let Some(denial) = near.iter().rposition(|word| DENIALS.contains(word)) else {
        return false;
    };
    let between = &near[..denial];
    !between.iter().any(|word| REVERSALS.contains(word) || word.starts_with("stop"))
}

/// Returns whether a fever is followed by a reading that is none.
fn is_low_reading(words: &[Word<'_>], sign: &Range<usize>) -> bool {
    let first = &words[sign.start];
    if !FEVERS.contains(&&*first.text) {
        return false;
    }
    let reach = (sign.end - 1)..words.len().min(sign.end - 1 + READING_REACH);
    let in_clause = |at: &usize| words[*at].clause == first.clause;
    let readings: Vec<f64> = reach.take_while(in_clause).filter_map(|at| reading(words, at)).collect();
    !readings.is_empty() && !readings.iter().any(|degrees| is_fever(*degrees))
}

/// Returns the degrees at a place, if there are some and no weeks, days or years.
fn reading(words: &[Word<'_>], at: usize) -> Option<f64> {
    let degrees = words[at].text.parse::<f64>().ok().filter(|n| (34.0..=110.0).contains(n))?;
    let beside = [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(|at| words.get(at));
    let is_time = |word: &Word<'_>| TIMES.contains(&&*word.text);
    (!beside.into_iter().any(is_time)).then_some(degrees)
}

/// Returns whether a reading is a fever, in whichever degrees it can only be meant.
pub(super) fn is_fever(degrees: f64) -> bool {
    (38.0..45.0).contains(&degrees) || (100.4..=110.0).contains(&degrees)
}

/// Returns whether nobody else is named between others and the sign.
fn is_theirs(words: &[Word<'_>], between: Range<usize>) -> bool {
    between.start <= between.end
        && between.start > 0
        && words[between.start - 1].clause == words.get(between.end).map_or(usize::MAX, |word| word.clause)
        && !words[between].iter().any(|word| PERSONS.contains(&&*word.text))
}

/// Returns whether something in the clause says that it is so now, whatever else the clause tells of.
fn is_now(words: &[Word<'_>], clause: usize) -> bool {
    let inside: Vec<&str> =
        words.iter().filter(|word| word.clause == clause).map(|word| &*word.text).collect();
    inside.iter().any(|word| PRESENT.contains(word))
        || inside.windows(2).any(|pair| PRESENT_PAIRS.contains(&[pair[0], pair[1]]))
}

/// What a number beside them counts; then it is no reading.
const TIMES: [&str; 17] = [
    "week", "weeks", "day", "days", "month", "months", "year", "years", "semana", "semanas", "dias", "anos",
    "semaine", "semaines", "sa", "jours", "ans",
];

/// Pairs of words that say what somebody is doing, or has been doing until now.
const PRESENT_PAIRS: [[&str; 2]; 4] = [["i", "am"], ["have", "been"], ["je", "suis"], ["me", "esta"]];

const FEVERS: [&str; 5] = ["fever", "feverish", "fiebre", "calentura", "fievre"];

const DENIALS: [&str; 30] = [
    "no", "not", "dont", "didnt", "doesnt", "isnt", "arent", "wasnt", "havent", "hasnt", "never", "without",
    "nor", "neither", "nothing", "sin", "nunca", "tampoco", "ni", "ningun", "ninguna", "pas", "ne", "n",
    "sans", "aucun", "aucune", "jamais", "stopped", "prevent",
];

/// Words between a denial and a sign that take the denial back: "can't stop bleeding", "never had such
/// pain", "no appetite and a fever".
const REVERSALS: [&str; 28] = [
    "stop",
    "such",
    "this",
    "so",
    "like",
    "and",
    "only",
    "just",
    "parar",
    "para",
    "paro",
    "deja",
    "dejo",
    "dejar",
    "tan",
    "tanto",
    "tanta",
    "y",
    "solo",
    "arrete",
    "arreter",
    "cesse",
    "tel",
    "telle",
    "autant",
    "et",
    "seulement",
    "with",
];

/// Words that say that what is told happens at present.
const PRESENT: [&str; 30] = [
    "now",
    "today",
    "tonight",
    "still",
    "currently",
    "morning",
    "yesterday",
    "since",
    "hour",
    "hours",
    "just",
    "anymore",
    "longer",
    "ahora",
    "hoy",
    "sigo",
    "sigue",
    "todavia",
    "ayer",
    "desde",
    "horas",
    "anoche",
    "maintenant",
    "aujourd",
    "toujours",
    "hier",
    "matin",
    "depuis",
    "heures",
    "plus",
];

/// Pairs of words that say that something is back.
const BACK: [[&str; 2]; 6] =
    [["otra", "vez"], ["de", "nuevo"], ["de", "nouveau"], ["a", "nouveau"], ["came", "back"], ["is", "back"]];

/// Words that name a patient between others and a sign.
const PERSONS: [&str; 29] = [
    "my", "mi", "mis", "mon", "ma", "belly", "barriga", "ventre", "i", "im", "ive", "me", "she", "her",
    "wife", "sister", "yo", "estoy", "tengo", "ella", "mujer", "esposa", "hermana", "j", "je", "moi", "elle",
    "femme", "soeur",
];

#[cfg(test)]
mod tests {
    use crate::safety::{KeywordRedFlags, RedFlags};

    fn is_flagged(message: &str) -> bool {
        KeywordRedFlags::new().find(message).is_some()
    }

    #[test]
    fn what_is_said_of_now_is_not_excused_by_what_stands_beside_it_f22() {
        for message in [
            "I am pregnant with my second baby and I am bleeding",
            "I have been bleeding for one day",
            "I am bleeding like in my last pregnancy",
            "I have a fever and I am 36 weeks pregnant",
            "fever, it was 37.5 this morning and now 39.5",
            "tengo fiebre y estoy de 35 semanas",
            "my dog jumped on my belly and now there is bleeding",
            "mi perro salto sobre mi barriga y ahora hay sangrado",
        ] {
            assert!(is_flagged(message), "{message}");
        }
        assert!(!is_flagged("no fever, just 36.8 after the walk"));
    }

    #[test]
    fn a_past_that_is_back_is_no_past_f22() {
        assert!(!is_flagged("I fainted two years ago"));
        assert!(is_flagged("I fainted two years ago. It happens again"));
        assert!(is_flagged("two years ago I had a clot and today I fainted"));
        assert!(is_flagged("hace dos años sangré y desde ayer sangro"));
        assert!(is_flagged("j'ai saigné il y a deux ans et je saigne de nouveau"));
    }

    #[test]
    fn what_used_to_be_there_and_is_not_is_a_sign_f22() {
        assert!(is_flagged("I used to feel the baby move and now I don't feel any movement"));
        assert!(is_flagged("she used to kick a lot and the baby is not moving anymore"));
    }

    #[test]
    fn an_animal_that_harmed_somebody_is_no_excuse_f22() {
        assert!(!is_flagged("my dog is bleeding"));
        for message in [
            "the dog jumped on my belly and I am bleeding",
            "el perro me mordió y estoy sangrando",
            "mon chat dort et je saigne",
            "my dog is fine. I am bleeding",
        ] {
            assert!(is_flagged(message), "{message}");
        }
    }

    #[test]
    fn a_phrase_that_means_something_else_covers_only_itself_f22() {
        assert!(!is_flagged("I have a blood test tomorrow"));
        assert!(is_flagged("after the blood test I am bleeding"));
        assert!(is_flagged("the baby has not stopped kicking but I have chest pain"));
    }

    #[test]
    fn a_denial_within_a_sign_reaches_its_last_word_only_f22() {
        for message in ["my waters have not broken", "mes mains ne sont pas gonflées"] {
            assert!(!is_flagged(message), "{message}");
        }
        for message in
            ["tengo un dolor que no aguanto en el pecho", "une douleur qui ne part pas dans la poitrine"]
        {
            assert!(is_flagged(message), "{message}");
        }
    }
}
