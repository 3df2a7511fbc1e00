//! Times that people name: "tomorrow at 9", "el próximo lunes a las 15:30", "dans deux semaines".
//!
//! | what | English | Spanish | French | means |
//! |---|---|---|---|---|
//! | a day near | today, tomorrow, the day after tomorrow | hoy, mañana, pasado mañana | aujourd'hui, demain, après-demain | that day |
//! | a weekday | on Monday, next Monday | el lunes, el próximo lunes | lundi, lundi prochain | the first such day after today |
//! | a distance | in two weeks, in 3 days, next week | en dos semanas, dentro de 3 días | dans deux semaines, la semaine prochaine | that many days or months on |
//! | a short distance | in two hours, in 30 minutes | en dos horas | dans 2 heures | that moment |
//! | a date | 3 March, March 3rd, 2026-03-03 | el 3 de marzo | le 3 mars, le 1er mars | the next such day, today included |
//! | a time of day | at 9, at 9:30 pm, at noon, half past nine | a las 9, a las nueve y media, al mediodía | à 9 h, à 9h30, à midi | that time |
//! | a part of the day | tomorrow morning, tonight | esta tarde, mañana por la noche | ce soir, demain matin | 9:00, 15:00, 19:00, 21:00 |
//!
//! Rules where words leave it open:
//! - An hour from 1 to 6 without "am", "de la mañana" or the like is one of the afternoon; written as
//!   `03:00` it is what it says.
//! - A time of day without a day is the next one: today's if it is ahead, else tomorrow's.
//! - A day that has no such time (clocks go forward) gets the time as far behind the gap; a time that
//!   comes twice (clocks go back) is the first of the two.
//! - The past is never named: "two weeks ago", "since Monday", "el lunes pasado" are skipped, and so is
//!   what would lie behind now or more than [`HORIZON_DAYS`] ahead.
//! - Day and time must stand in one sentence; of several the first sentence and the first of each counts.
//!
//! Invariant: pure; what is returned lies ahead of the given moment.

mod clock;
mod day;
mod token;

use jiff::{
    Timestamp, ToSpan, Zoned,
    civil::{Date, Time},
};

use clock::Hours;
use day::Day;
use token::Token;

/// Farthest day that is taken for meant, in days: two years.
pub const HORIZON_DAYS: i64 = 731;

/// A time that a message names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Day and time of day, or a distance in hours.
    Moment(Timestamp),
    /// A day, and no time of it.
    Day(Date),
}

/// Returns the time that a message names, as somebody means it who says so at `now` in that zone.
pub fn named(message: &str, now: &Zoned) -> Option<When> {
    token::sentences(message).iter().find_map(|sentence| in_sentence(sentence, now))
}

fn in_sentence(sentence: &[Token], now: &Zoned) -> Option<When> {
    let mut day: Option<Day> = None;
    let mut hours: Option<Hours> = None;
    let mut at = 0;
    while at < sentence.len() {
        let rest = &sentence[at..];
        let before = &sentence[..at];
        let taken = if let Some(taken) = past(rest) {
            taken
        } else if let Some((found, taken)) = day::read(before, rest) {
            day = day.or(Some(found));
            taken
        } else if let Some((found, taken)) = clock::read(&sentence[..at], rest) {
            hours = Some(hours.map_or(found, |known| known.with(found)));
            taken
        } else {
            1
        };
        at += taken;
    }
    resolve(day, hours, now).filter(|when| is_ahead(*when, now))
}

/// Returns the length of an expression that looks back, at the beginning of these.
fn past(rest: &[Token]) -> Option<usize> {
    let taken = since(rest).or_else(|| ago(rest))?.min(rest.len());
    let at = clock::read(&rest[..taken], &rest[taken..]).map_or(0, |(_, taken)| taken);
    Some(taken + at)
}

/// "since Monday", "hace dos semanas", "depuis hier"
fn since(rest: &[Token]) -> Option<usize> {
    const SINCE: [&str; 11] =
        ["since", "last", "until", "yesterday", "desde", "hace", "ayer", "hasta", "depuis", "hier", "anoche"];
    const ALONE: [&str; 4] = ["yesterday", "ayer", "hier", "anoche"];
    let first = rest.first().filter(|first| first.is_in(&SINCE))?;
    if first.is_in(&ALONE) {
        return Some(1);
    }
    let is_more = |next: &Token| next.is_in(&["last", "el", "la", "the"]) || next.number().is_some();
    Some(if rest.get(1).is_some_and(is_more) { 3 } else { 2 })
}

/// "two weeks ago", "el lunes pasado", "lundi dernier"; "pasado mañana" looks ahead.
fn ago(rest: &[Token]) -> Option<usize> {
    const BACK: [&str; 4] = ["pasado", "pasada", "dernier", "derniere"];
    let (first, second) = (rest.first()?, rest.get(1)?);
    if first.number().is_some() && rest.get(2).is_some_and(|third| third.is("ago")) {
        return Some(3);
    }
    let is_ahead = rest.get(2).is_some_and(|third| third.is("manana"));
    (day::is_weekday(first) && second.is_in(&BACK) && !is_ahead).then_some(2)
}

fn resolve(day: Option<Day>, hours: Option<Hours>, now: &Zoned) -> Option<When> {
    let today = now.date();
    let date = match day {
        Some(Day::After(duration)) => return Some(When::Moment(now.timestamp().checked_add(duration).ok()?)),
        Some(Day::On(on)) => Some(on.date(today)?),
        None => None,
    };
    match (date, hours) {
        (None, None) => None,
        (Some(date), None) => Some(When::Day(date)),
        (Some(date), Some(hours)) => {
            let meant = moment(date, hours.time()?, now)?;
            // "today at 9", said at ten, is nine in the evening.
            let later = hours.later().and_then(|time| moment(date, time, now));
            later.filter(|_| date == today && !is_ahead(meant, now)).or(Some(meant))
        }
        (None, Some(hours)) => {
            let time = hours.time()?;
            let soon = moment(today, time, now).filter(|when| is_ahead(*when, now));
            soon.or_else(|| moment(today.tomorrow().ok()?, time, now))
        }
    }
}

fn moment(date: Date, time: Time, now: &Zoned) -> Option<When> {
    let zoned = date.to_datetime(time).to_zoned(now.time_zone().clone()).ok()?;
    Some(When::Moment(zoned.timestamp()))
}

fn is_ahead(when: When, now: &Zoned) -> bool {
    let Ok(horizon) = now.checked_add(HORIZON_DAYS.days()) else { return false };
    match when {
        When::Moment(moment) => moment > now.timestamp() && moment <= horizon.timestamp(),
        When::Day(date) => date >= now.date() && date <= horizon.date(),
    }
}

#[cfg(test)]
mod tests;
