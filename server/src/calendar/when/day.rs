//! Days: near ones, weekdays, distances and dates.

use std::time::Duration;

use jiff::{
    ToSpan,
    civil::{Date, Weekday},
};

use super::token::{Token, starts_with};

/// The day of a named time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Day {
    /// A day of the calendar.
    On(On),
    /// A distance from now, below a day.
    After(Duration),
}

/// A day of the calendar, as it was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// So many days on.
    Days(i64),
    /// So many months on.
    Months(i64),
    /// The first such weekday after today.
    Weekday(Weekday),
    /// Day and month, this year or next.
    Date { month: i8, day: i8 },
    /// The whole date.
    Exactly(Date),
}

impl On {
    /// Returns the day, seen from today.
    pub(super) fn date(self, today: Date) -> Option<Date> {
        match self {
            Self::Days(days) => today.checked_add(days.days()).ok(),
            Self::Months(months) => today.checked_add(months.months()).ok(),
            Self::Weekday(weekday) => today.nth_weekday(1, weekday).ok(),
            Self::Date { month, day } => {
                let this = Date::new(today.year(), month, day).ok();
                this.filter(|date| *date >= today)
                    .or_else(|| Date::new(today.year().checked_add(1)?, month, day).ok())
            }
            Self::Exactly(date) => Some(date),
        }
    }
}

const WEEKDAYS: [(Weekday, [&str; 3]); 7] = [
    (Weekday::Monday, ["monday", "lunes", "lundi"]),
    (Weekday::Tuesday, ["tuesday", "martes", "mardi"]),
    (Weekday::Wednesday, ["wednesday", "miercoles", "mercredi"]),
    (Weekday::Thursday, ["thursday", "jueves", "jeudi"]),
    (Weekday::Friday, ["friday", "viernes", "vendredi"]),
    (Weekday::Saturday, ["saturday", "sabado", "samedi"]),
    (Weekday::Sunday, ["sunday", "domingo", "dimanche"]),
];

const MONTHS: [[&str; 3]; 12] = [
    ["january", "enero", "janvier"],
    ["february", "febrero", "fevrier"],
    ["march", "marzo", "mars"],
    ["april", "abril", "avril"],
    ["may", "mayo", "mai"],
    ["june", "junio", "juin"],
    ["july", "julio", "juillet"],
    ["august", "agosto", "aout"],
    ["september", "septiembre", "septembre"],
    ["october", "octubre", "octobre"],
    ["november", "noviembre", "novembre"],
    ["december", "diciembre", "decembre"],
];

/// What distances are counted in.
#[derive(Clone, Copy)]
enum Unit {
    Minutes,
    Hours,
    Days,
    Weeks,
    Months,
}

/// Units in the three languages, with the words that put a distance ahead in each.
const UNITS: [(Unit, [&[&str]; 3]); 5] = [
    (Unit::Minutes, [&["minute", "minutes"], &["minuto", "minutos"], &["minute", "minutes"]]),
    (Unit::Hours, [&["hour", "hours"], &["hora", "horas"], &["heure", "heures", "h"]]),
    (Unit::Days, [&["day", "days"], &["dia", "dias"], &["jour", "jours"]]),
    (Unit::Weeks, [&["week", "weeks"], &["semana", "semanas"], &["semaine", "semaines"]]),
    (Unit::Months, [&["month", "months"], &["mes", "meses"], &["mois"]]),
];

/// Words that put a distance ahead, per language as in [`UNITS`].
const AHEAD: [&[&[&str]]; 3] = [&[&["in"]], &[&["en"], &["dentro", "de"]], &[&["dans"]]];

/// Phrases of one meaning, longest first.
const PHRASES: [(&[&str], On); 19] = [
    (&["the", "day", "after", "tomorrow"], On::Days(2)),
    (&["day", "after", "tomorrow"], On::Days(2)),
    (&["la", "semana", "que", "viene"], On::Days(7)),
    (&["el", "mes", "que", "viene"], On::Months(1)),
    (&["pasado", "manana"], On::Days(2)),
    (&["apres", "demain"], On::Days(2)),
    (&["aujourd", "hui"], On::Days(0)),
    (&["next", "week"], On::Days(7)),
    (&["next", "month"], On::Months(1)),
    (&["proxima", "semana"], On::Days(7)),
    (&["proximo", "mes"], On::Months(1)),
    (&["semaine", "prochaine"], On::Days(7)),
    (&["mois", "prochain"], On::Months(1)),
    (&["today"], On::Days(0)),
    (&["hoy"], On::Days(0)),
    (&["tomorrow"], On::Days(1)),
    (&["tmrw"], On::Days(1)),
    (&["demain"], On::Days(1)),
    (&["manana"], On::Days(1)),
];

/// Reads a day at the beginning of `rest`; returns it with the number of tokens.
pub(super) fn read(before: &[Token], rest: &[Token]) -> Option<(Day, usize)> {
    let on = |(on, taken)| (Day::On(on), taken);
    distance(rest)
        .or_else(|| iso(rest).map(on))
        .or_else(|| date(rest).map(on))
        .or_else(|| phrase(before, rest).map(on))
        .or_else(|| weekday(rest.first()?).map(|weekday| (Day::On(On::Weekday(weekday)), 1)))
}

/// Returns whether this is a day of the week.
pub(super) fn is_weekday(token: &Token) -> bool {
    weekday(token).is_some()
}

/// Returns whether this is a unit in which distances are counted, beside hours and minutes.
pub(super) fn is_long_unit(token: &Token) -> bool {
    UNITS[2..].iter().any(|(_, languages)| languages.iter().any(|words| token.is_in(words)))
}

fn weekday(token: &Token) -> Option<Weekday> {
    WEEKDAYS.iter().find(|(_, names)| token.is_in(names)).map(|(weekday, _)| *weekday)
}

/// "La mañana", "esta mañana" and "por la mañana" are the morning; "mañana" alone is tomorrow.
fn phrase(before: &[Token], rest: &[Token]) -> Option<(On, usize)> {
    let is_morning = before.last().is_some_and(|last| last.is_in(&["la", "esta"]));
    let (phrase, on) = PHRASES.iter().find(|(phrase, _)| starts_with(rest, phrase))?;
    (!(is_morning && phrase == &["manana"])).then_some((*on, phrase.len()))
}

fn distance(rest: &[Token]) -> Option<(Day, usize)> {
    for (language, openings) in AHEAD.iter().enumerate() {
        let Some(opening) = openings.iter().find(|opening| starts_with(rest, opening)) else { continue };
        let (count, unit) = (rest.get(opening.len())?.number()?, rest.get(opening.len() + 1)?);
        let known = UNITS.iter().find(|(_, languages)| unit.is_in(languages[language]));
        let Some((unit, _)) = known else { continue };
        return Some((ahead(count, *unit)?, opening.len() + 2));
    }
    None
}

fn ahead(count: i64, unit: Unit) -> Option<Day> {
    let so_many = u64::try_from(count).ok()?;
    Some(match unit {
        Unit::Minutes => Day::After(Duration::from_mins(so_many)),
        Unit::Hours => Day::After(Duration::from_hours(so_many)),
        Unit::Days => Day::On(On::Days(count)),
        Unit::Weeks => Day::On(On::Days(count * 7)),
        Unit::Months => Day::On(On::Months(count)),
    })
}

/// `2026-03-01`
fn iso(rest: &[Token]) -> Option<(On, usize)> {
    let [year, month, day, ..] = rest else { return None };
    if year.digits()?.len() != 4 || !month.is_joined_by(&['-']) || !day.is_joined_by(&['-']) {
        return None;
    }
    let part = |token: &Token| token.digits()?.parse::<i8>().ok();
    let date = Date::new(year.digits()?.parse().ok()?, part(month)?, part(day)?).ok()?;
    Some((On::Exactly(date), 3))
}

/// `3 March`, `3rd of March 2027`, `3 de marzo`, `1er mars`, `March 3rd`
fn date(rest: &[Token]) -> Option<(On, usize)> {
    const FILLERS: [&str; 8] = ["st", "nd", "rd", "th", "er", "of", "de", "del"];
    let skip = |mut at: usize| {
        while rest.get(at).is_some_and(|token| token.is_in(&FILLERS)) {
            at += 1;
        }
        at
    };
    let second = skip(1);
    let (first, last) = (rest.first()?, rest.get(second)?);
    let (day, month) = match (month(first), month(last)) {
        (None, Some(month)) => (first.digits()?, month),
        (Some(month), None) if last.digits().is_some_and(|digits| digits.len() <= 2) => {
            (last.digits()?, month)
        }
        _ => return None,
    };
    let day = day.parse().ok().filter(|day| (1..=31).contains(day))?;
    let third = skip(second + 1);
    let year = rest.get(third).and_then(Token::digits).filter(|digits| digits.len() == 4);
    match year.and_then(|year| year.parse().ok()) {
        Some(year) => Some((On::Exactly(Date::new(year, month, day).ok()?), third + 1)),
        None => Some((On::Date { month, day }, second + 1)),
    }
}

fn month(token: &Token) -> Option<i8> {
    let found = MONTHS.iter().position(|names| token.is_in(names))?;
    i8::try_from(found + 1).ok()
}
