//! Words of a birth: from then on nobody is pregnant any more.

use std::sync::LazyLock;

use regex::Regex;

/// One's own birth, told as something that has happened.
static BORN: LazyLock<Regex> = LazyLock::new(|| {
    super::patterns::pattern(
        r"(?x)\b(?:
          (?:i|we)\ (?:just\ |already\ |finally\ )?(?:gave\ birth|had\ (?:my|our|the)\ baby)
          |(?:ive|i\ have|weve|we\ have)\ (?:just\ |already\ |finally\ )?(?:given\ birth|had\ (?:my|our|the)\ baby)
          |i\ (?:just\ )?delivered\ (?:my|our|a|the)\ (?:[a-z]+\ )?(?:baby|boy|girl|son|daughter)
          |(?:my|our)\ (?:baby|son|daughter|boy|girl|twins)\ (?:was|is|has\ been|were|have\ been)\ (?:just\ )?born
          |(?:ya\ )?di\ a\ luz|he\ dado\ a\ luz
          |(?:ya\ )?(?:nacio|ha\ nacido)\ (?:mi|nuestr[oa])\ (?:bebe|hij[oa]|nin[oa])
          |(?:mi|nuestr[oa])\ (?:bebe|hij[oa]|nin[oa])\ (?:ya\ )?(?:nacio|ha\ nacido)
          |j\ ai\ (?:deja\ |enfin\ )?accouche
          |(?:mon|ma|notre)\ (?:bebe|fils|fille)\ (?:est|vient\ d)\ (?:deja\ |enfin\ )?(?:nee?|naitre)
          |bebe\ est\ (?:deja\ |enfin\ )?nee?
        )\b",
    )
});

/// Words by which it is told of another time, of what may be, or of an earlier child.
const ELSEWHEN: [&str; 28] = [
    "not", "havent", "hasnt", "when", "before", "until", "till", "if", "first", "years", "dreamt", "dreamed",
    "no", "cuando", "antes", "si", "primer", "primera", "segundo", "anos", "sone", "pas", "quand", "avant",
    "premier", "premiere", "ans", "reve",
];

/// Returns whether one clause of the text (clauses parted by `|`) tells of the user's own birth.
pub(super) fn is_told(text: &str) -> bool {
    text.split('|').any(|clause| {
        BORN.is_match(clause) && !clause.split_whitespace().any(|word| ELSEWHEN.contains(&word))
    })
}

#[cfg(test)]
mod tests {
    use crate::extract::tests::found;

    fn is_told(message: &str) -> bool {
        found(message, "postpartum").as_deref() == Some("since 1970-01-01")
    }

    #[test]
    fn ones_own_birth_is_heard_in_each_language_f43() {
        for message in [
            "I gave birth yesterday!",
            "I've just given birth",
            "my daughter was born on Monday",
            "We had our baby last night",
            "Di a luz ayer",
            "¡Ya nació mi bebé!",
            "mi hija ha nacido",
            "J'ai accouché hier",
            "Mon bébé est né ce matin",
            "Notre fille est née",
        ] {
            assert!(is_told(message), "{message}");
        }
    }

    #[test]
    fn births_of_others_earlier_ones_and_those_to_come_are_not_f43() {
        for message in [
            "when I gave birth to my first child",
            "my sister gave birth yesterday",
            "I have not given birth",
            "I will give birth in May",
            "I gave birth three years ago",
            "how do I prepare for birth",
            "cuando di a luz la primera vez",
            "mi hermana dio a luz",
            "quand j'ai accouché de mon premier",
            "j'ai peur d'accoucher",
            "je n'ai pas accouché",
        ] {
            assert!(!is_told(message), "{message}");
        }
    }
}
