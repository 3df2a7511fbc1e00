//! What is taken for a time in three languages, and what is not.

use jiff::{civil, tz::TimeZone};
use proptest::prelude::*;

use super::*;

/// Tuesday, 3 March 2026, half past ten in the morning.
fn tuesday(zone: &str) -> Zoned {
    civil::date(2026, 3, 3).at(10, 30, 0, 0).to_zoned(TimeZone::get(zone).unwrap()).unwrap()
}

fn shown(message: &str, now: &Zoned) -> String {
    match named(message, now) {
        None => "-".to_owned(),
        Some(When::Day(date)) => date.to_string(),
        Some(When::Moment(at)) => at.to_zoned(now.time_zone().clone()).strftime("%Y-%m-%d %H:%M").to_string(),
    }
}

fn check(table: &[(&str, &str)]) {
    let now = tuesday("Europe/Madrid");
    for (message, expected) in table {
        assert_eq!(shown(message, &now), *expected, "{message}");
    }
}

#[test]
fn english_times_are_understood_f69() {
    check(&[
        ("Remind me tomorrow at 9", "2026-03-04 09:00"),
        ("tomorrow at 9:30 pm", "2026-03-04 21:30"),
        ("TOMORROW AT 9 A.M.", "2026-03-04 09:00"),
        ("Book a scan the day after tomorrow at noon", "2026-03-05 12:00"),
        ("next Monday", "2026-03-09"),
        ("on Tuesday at 3", "2026-03-10 15:00"),
        ("in two weeks", "2026-03-17"),
        ("in a week at 10", "2026-03-10 10:00"),
        ("in 3 days", "2026-03-06"),
        ("in two hours", "2026-03-03 12:30"),
        ("in 30 minutes", "2026-03-03 11:00"),
        ("next month", "2026-04-03"),
        ("at 16:45", "2026-03-03 16:45"),
        ("at 9", "2026-03-04 09:00"),
        ("today at 9", "2026-03-03 21:00"),
        ("at half past nine tomorrow", "2026-03-04 09:30"),
        ("quarter to four tomorrow", "2026-03-04 15:45"),
        ("tomorrow morning", "2026-03-04 09:00"),
        ("tonight", "2026-03-03 21:00"),
        ("tonight at 8", "2026-03-03 20:00"),
        ("on 3 April at 8am", "2026-04-03 08:00"),
        ("on March 2nd", "2027-03-02"),
        ("on 2026-05-04 at 03:00", "2026-05-04 03:00"),
        ("on the 3rd of June 2026", "2026-06-03"),
    ]);
}

#[test]
fn spanish_times_are_understood_f69() {
    check(&[
        ("Recuérdame mañana a las 9", "2026-03-04 09:00"),
        ("mañana a las 9:30 de la noche", "2026-03-04 21:30"),
        ("mañana por la mañana", "2026-03-04 09:00"),
        ("mañana por la mañana a las ocho", "2026-03-04 08:00"),
        ("pasado mañana a la una", "2026-03-05 13:00"),
        ("el próximo lunes", "2026-03-09"),
        ("el lunes que viene a las nueve y media", "2026-03-09 09:30"),
        ("en dos semanas", "2026-03-17"),
        ("dentro de 3 días", "2026-03-06"),
        ("dentro de dos horas", "2026-03-03 12:30"),
        ("la semana que viene", "2026-03-10"),
        ("la próxima semana", "2026-03-10"),
        ("hoy a las cinco menos cuarto", "2026-03-03 16:45"),
        ("esta tarde", "2026-03-03 15:00"),
        ("esta noche a las 10", "2026-03-03 22:00"),
        ("mañana al mediodía", "2026-03-04 12:00"),
        ("el 3 de abril a las 16:00", "2026-04-03 16:00"),
    ]);
}

#[test]
fn french_times_are_understood_f69() {
    check(&[
        ("Rappelle-moi demain à 9 h", "2026-03-04 09:00"),
        ("demain à 9h30", "2026-03-04 09:30"),
        ("demain matin", "2026-03-04 09:00"),
        ("demain à neuf heures et demie", "2026-03-04 09:30"),
        ("après-demain à midi", "2026-03-05 12:00"),
        ("lundi prochain", "2026-03-09"),
        ("lundi à 15 heures", "2026-03-09 15:00"),
        ("lundi à 3 heures de l'après-midi", "2026-03-09 15:00"),
        ("dans deux semaines", "2026-03-17"),
        ("dans 3 jours", "2026-03-06"),
        ("dans 2 heures", "2026-03-03 12:30"),
        ("la semaine prochaine", "2026-03-10"),
        ("le mois prochain", "2026-04-03"),
        ("ce soir", "2026-03-03 19:00"),
        ("aujourd’hui à 18 h", "2026-03-03 18:00"),
        ("le 1er avril à 8 h 15", "2026-04-01 08:15"),
    ]);
}

#[test]
fn what_is_past_or_no_time_is_not_named_f69() {
    check(&[
        ("", "-"),
        ("I have a headache since Monday", "-"),
        ("two weeks ago I was fine", "-"),
        ("it began yesterday at 9:30", "-"),
        ("last Monday at 9pm it hurt", "-"),
        ("last week I fell, remind me tomorrow at 9", "2026-03-04 09:00"),
        ("el lunes pasado me dolía", "-"),
        ("me duele desde el lunes", "-"),
        ("hace dos semanas", "-"),
        ("lundi dernier", "-"),
        ("depuis deux semaines", "-"),
        ("il y a 2 heures", "-"),
        ("toutes les 8 heures", "-"),
        ("I was at 22 weeks", "-"),
        ("estoy a las 22 semanas", "-"),
        ("my sugar is 9.30", "-"),
        ("I may take 2", "-"),
        ("in 500 months", "-"),
        ("on 2020-01-01", "-"),
        ("today at 03:00", "-"),
        ("on 2026-02-30", "-"),
    ]);
}

#[test]
fn a_day_without_the_hour_gets_the_next_and_a_double_one_the_first_f69() {
    let zone = TimeZone::get("Europe/Madrid").unwrap();
    let before = |month, day| civil::date(2026, month, day).at(10, 0, 0, 0).to_zoned(zone.clone()).unwrap();
    let utc = |message, now: &Zoned| match named(message, now) {
        Some(When::Moment(at)) => at.to_string(),
        other => format!("{other:?}"),
    };

    // Clocks go from 02:00 to 03:00 on 29 March, and from 03:00 to 02:00 on 25 October.
    assert_eq!(utc("tomorrow at 02:30", &before(3, 28)), "2026-03-29T01:30:00Z");
    assert_eq!(shown("tomorrow at 02:30", &before(3, 28)), "2026-03-29 03:30");
    assert_eq!(utc("mañana a las 02:30", &before(10, 24)), "2026-10-25T00:30:00Z");
    assert_eq!(utc("demain à 9 h", &before(3, 28)), "2026-03-29T07:00:00Z");
    assert_eq!(utc("demain à 9 h", &before(10, 24)), "2026-10-25T08:00:00Z");
}

const ZONES: [&str; 6] =
    ["UTC", "Europe/Madrid", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"];

fn zones() -> impl Strategy<Value = TimeZone> {
    prop::sample::select(&ZONES).prop_map(|name| TimeZone::get(name).unwrap())
}

fn moments() -> impl Strategy<Value = Timestamp> {
    (1_600_000_000_i64..2_200_000_000).prop_map(|second| Timestamp::from_second(second).unwrap())
}

proptest! {
    #[test]
    fn whatever_is_named_lies_ahead_f69(
        parts in prop::collection::vec(prop::sample::select(&WORDS), 0..12), zone in zones(), at in moments(),
    ) {
        let now = at.to_zoned(zone);

        if let Some(When::Moment(named)) = named(&parts.join(" "), &now) {
            prop_assert!(named > at);
        }
    }

    #[test]
    fn no_text_is_too_strange_f69(text in any::<String>(), at in moments()) {
        let now = at.to_zoned(TimeZone::UTC);

        prop_assert!(named(&text, &now).is_none_or(|when| is_ahead(when, &now)));
    }

    #[test]
    fn tomorrow_at_an_hour_is_that_hour_on_that_day_in_each_language_f69(
        hour in 0_i8..24, minute in 0_i8..60, zone in zones(), at in moments(),
    ) {
        let now = at.to_zoned(zone);
        let tomorrow = now.date().tomorrow().unwrap();
        let meant = tomorrow.at(hour, minute, 0, 0).to_zoned(now.time_zone().clone()).unwrap().timestamp();

        for message in [
            format!("please book it tomorrow at {hour:02}:{minute:02}"),
            format!("resérvalo mañana a las {hour:02}:{minute:02}, por favor"),
            format!("réserve demain à {hour:02}:{minute:02}"),
        ] {
            // A zone that skips a whole day has no such moment, and the time may lie behind now.
            if meant > at {
                prop_assert_eq!(named(&message, &now), Some(When::Moment(meant)), "{}", message);
            }
        }
    }

    #[test]
    fn a_weekday_is_the_first_such_day_after_today_f69(day in 0_usize..7, language in 0_usize..3, at in moments()) {
        let now = at.to_zoned(TimeZone::UTC);
        let names = [
            ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
            ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
            ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
        ];

        let Some(When::Day(date)) = named(names[language][day], &now) else { panic!("a day") };

        let ahead = (date - now.date()).get_days();
        prop_assert!((1..=7).contains(&ahead));
        prop_assert_eq!(usize::try_from(date.weekday().to_monday_zero_offset()), Ok(day));
    }
}

/// Words that times are made of, in and out of order.
const WORDS: [&str; 40] = [
    "tomorrow",
    "at",
    "9",
    "30",
    ":",
    "pm",
    "next",
    "monday",
    "in",
    "two",
    "weeks",
    "hours",
    "mañana",
    "a",
    "las",
    "la",
    "por",
    "pasado",
    "lunes",
    "dentro",
    "de",
    "semanas",
    "demain",
    "à",
    "h",
    "dans",
    "heures",
    "midi",
    "ago",
    "since",
    "2026-05-04",
    "march",
    "3",
    "y",
    "media",
    "half",
    "past",
    "tonight",
    "9999",
    ".",
];
