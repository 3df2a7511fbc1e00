//! A moment as people write it in their language: `le 3 décembre à 10:00`.
//!
//! The words come from the texts of the language, so that administrators can write those of any language. Where one of them is
//! missing the moment is written in figures, which nobody has to translate: a date is never half in English.

use jiff::Zoned;

use crate::texts::Texts;

/// Writes a moment in a language, as the user's clocks show it. Its year is told where it is not that of `now`.
pub fn written(moment: &Zoned, now: &Zoned, (texts, language): (&dyn Texts, &str)) -> String {
    let figures = || moment.strftime("%Y-%m-%d %H:%M").to_string();
    let say = |key: &str, arguments: &[(&str, String)]| {
        let text = texts.text(key, language, arguments);
        (!text.fell_back).then_some(text.text)
    };
    let form = match (moment.day() == 1, moment.year() == now.year()) {
        (false, true) => "date.moment",
        (false, false) => "date.moment_of_year",
        (true, true) => "date.first",
        (true, false) => "date.first_of_year",
    };
    let Some(month) = say(&format!("date.month_{}", moment.month()), &[]) else { return figures() };
    let time = moment.strftime("%-H:%M").to_string();
    let (day, year) = (moment.day().to_string(), moment.year().to_string());
    say(form, &[("day", day), ("month", month), ("time", time), ("year", year)]).unwrap_or_else(figures)
}

#[cfg(test)]
mod tests {
    use jiff::civil;

    use super::*;
    use crate::texts::FluentTexts;

    fn at(year: i16, month: i8, day: i8) -> Zoned {
        civil::date(year, month, day).at(10, 0, 0, 0).in_tz("Europe/Paris").unwrap()
    }

    fn shown(language: &str, moment: &Zoned) -> String {
        written(moment, &at(2026, 11, 30), (&FluentTexts::built_in(), language))
    }

    #[test]
    fn a_moment_is_written_as_people_of_a_language_do_f65() {
        let moments =
            [at(2026, 12, 3), at(2027, 1, 1), at(2026, 12, 31).with().hour(9).minute(5).build().unwrap()];
        let all = ["en", "es", "fr"]
            .map(|language| moments.each_ref().map(|moment| shown(language, moment)).join("; "));

        insta::assert_snapshot!(all.join("\n"), @"
        December 3 at 10:00; January 1, 2027 at 10:00; December 31 at 9:05
        el 3 de diciembre, 10:00 h; el 1 de enero de 2027, 10:00 h; el 31 de diciembre, 9:05 h
        le 3 décembre à 10:00; le 1er janvier 2027 à 10:00; le 31 décembre à 9:05
        ");
    }

    #[test]
    fn every_month_has_a_name_of_its_own_in_every_language_f65() {
        for language in ["en", "es", "fr"] {
            let mut names: Vec<_> = (1..=12).map(|month| shown(language, &at(2026, month, 2))).collect();
            assert!(names.iter().all(|name| !name.contains("2026")), "{names:?}");
            names.sort();
            names.dedup();

            assert_eq!(names.len(), 12, "{language}");
        }
    }

    #[test]
    fn a_language_without_words_for_dates_gets_figures_f65() {
        assert_eq!(shown("pt", &at(2026, 12, 3)), "2026-12-03 10:00");
    }
}
