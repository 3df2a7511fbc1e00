//! Times of day, on the clock or as a part of the day.

use jiff::civil::Time;

use super::{
    day::is_long_unit,
    token::{Token, starts_with},
};

/// Half of the day, or more exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Morning,
    Afternoon,
    Evening,
    Night,
}

impl Part {
    /// Returns what a part of the day means where no hour is named.
    const fn usual(self) -> (i8, i8) {
        match self {
            Self::Morning => (9, 0),
            Self::Afternoon => (15, 0),
            Self::Evening => (19, 0),
            Self::Night => (21, 0),
        }
    }
}

/// A time of day, as it was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hours {
    /// Hour and minute, if they were named.
    clock: Option<(i8, i8)>,
    part: Option<Part>,
    /// Written so that nothing is open, as `03:00`.
    is_exact: bool,
}

/// Hours below this are of the afternoon, where nothing else is said.
const EARLIEST: i8 = 7;

impl Hours {
    const fn part(part: Part) -> Self {
        Self { clock: None, part: Some(part), is_exact: false }
    }

    const fn clock(hour: i8, minute: i8) -> Self {
        Self { clock: Some((hour, minute)), part: None, is_exact: false }
    }

    /// Adds what was found later in the sentence; what is known stays.
    pub(super) fn with(self, other: Self) -> Self {
        Self {
            clock: self.clock.or(other.clock),
            part: self.part.or(other.part),
            is_exact: self.is_exact || (self.clock.is_none() && other.is_exact),
        }
    }

    /// Returns the time of day; `None` where there is none such.
    pub(super) fn time(self) -> Option<Time> {
        let (hour, minute) = self.clock.or_else(|| self.part.map(Part::usual))?;
        let hour = match self.part {
            // Twelve at night is midnight, and what comes after it is early.
            Some(Part::Morning | Part::Night) if hour == 12 => 0,
            Some(Part::Night) if hour < 6 => hour,
            Some(Part::Morning) => hour,
            Some(_) if hour < 12 => hour + 12,
            None if !self.is_exact && (1..EARLIEST).contains(&hour) => hour + 12,
            _ => hour,
        };
        Time::new(hour, minute, 0, 0).ok()
    }

    /// Returns the same reading of the clock twelve hours later, where that can be meant.
    pub(super) fn later(self) -> Option<Time> {
        let time = self.time()?;
        let is_open = self.part.is_none() && !self.is_exact && (1..12).contains(&time.hour());
        if is_open { Time::new(time.hour() + 12, time.minute(), 0, 0).ok() } else { None }
    }
}

/// Parts of the day, longest phrase first.
const PARTS: [(&[&str], Part); 21] = [
    (&["de", "l", "apres", "midi"], Part::Afternoon),
    (&["in", "the", "morning"], Part::Morning),
    (&["in", "the", "afternoon"], Part::Afternoon),
    (&["in", "the", "evening"], Part::Evening),
    (&["por", "la", "manana"], Part::Morning),
    (&["de", "la", "manana"], Part::Morning),
    (&["por", "la", "tarde"], Part::Afternoon),
    (&["de", "la", "tarde"], Part::Afternoon),
    (&["por", "la", "noche"], Part::Night),
    (&["de", "la", "noche"], Part::Night),
    (&["esta", "manana"], Part::Morning),
    (&["esta", "tarde"], Part::Afternoon),
    (&["esta", "noche"], Part::Night),
    (&["la", "manana"], Part::Morning),
    (&["apres", "midi"], Part::Afternoon),
    (&["du", "matin"], Part::Morning),
    (&["du", "soir"], Part::Evening),
    (&["at", "night"], Part::Night),
    (&["ce", "soir"], Part::Evening),
    (&["ce", "matin"], Part::Morning),
    (&["cette", "nuit"], Part::Night),
];

/// Parts of the day in one word.
const PART_WORDS: [(&str, Part); 6] = [
    ("morning", Part::Morning),
    ("afternoon", Part::Afternoon),
    ("evening", Part::Evening),
    ("tonight", Part::Night),
    ("matin", Part::Morning),
    ("soir", Part::Evening),
];

/// The two middles of the day, with their hours.
const MIDDLES: [(&str, i8); 6] =
    [("noon", 12), ("mediodia", 12), ("midi", 12), ("midnight", 0), ("medianoche", 0), ("minuit", 0)];

/// Words before a number of hours that make it a length: "toutes les 8 heures".
const LENGTHS: [&str; 5] = ["les", "pendant", "durant", "chaque", "quelques"];

/// The halves of the day, as `9 am` or `9 p.m.`.
const HALVES: [(&str, Part); 2] = [("am", Part::Morning), ("pm", Part::Afternoon)];

/// What is counted behind a number that is then no hour, beside days and the like.
const COUNTED: [&str; 8] = ["kg", "kilos", "cm", "mg", "times", "veces", "fois", "percent"];

/// Reads a time of day at the beginning of `rest`; returns it with the number of tokens.
pub(super) fn read(before: &[Token], rest: &[Token]) -> Option<(Hours, usize)> {
    if let Some((part, taken)) = part(rest) {
        return Some((Hours::part(part), taken));
    }
    if let Some((_, hour)) = MIDDLES.iter().find(|(word, _)| rest.first().is_some_and(|token| token.is(word)))
    {
        return Some((Hours { is_exact: true, ..Hours::clock(*hour, 0) }, 1));
    }
    past_the_hour(rest).or_else(|| opened(rest)).or_else(|| on_the_clock(before, rest))
}

fn part(rest: &[Token]) -> Option<(Part, usize)> {
    let phrase = PARTS.iter().find(|(phrase, _)| starts_with(rest, phrase));
    let phrase = phrase.map(|(phrase, part)| (*part, phrase.len()));
    let word = || PART_WORDS.iter().find(|(word, _)| rest.first().is_some_and(|token| token.is(word)));
    phrase.or_else(|| word().map(|(_, part)| (*part, 1)))
}

/// "half past nine", "quarter to ten"
fn past_the_hour(rest: &[Token]) -> Option<(Hours, usize)> {
    let [fraction, side, hour, ..] = rest else { return None };
    let minutes = if fraction.is("half") { 30 } else { 15 };
    let known = fraction.is_in(&["half", "quarter"]) && side.is_in(&["past", "to"]);
    let hour = known.then(|| hour_of(hour)).flatten()?;
    let hours = if side.is("past") { Hours::clock(hour, minutes) } else { before(hour, minutes) };
    Some(period(hours, rest, 3))
}

/// "at 9", "a las nueve y media"; "à 9 heures" is read at its number.
fn opened(rest: &[Token]) -> Option<(Hours, usize)> {
    const OPENINGS: [&[&str]; 5] = [&["at"], &["a", "las"], &["a", "la"], &["sobre", "las"], &["around"]];
    let opening = OPENINGS.iter().find(|words| starts_with(rest, words))?;
    let after = &rest[opening.len()..];
    if let Some((hours, taken)) = past_the_hour(after).or_else(|| on_the_clock(&[], after)) {
        return Some((hours, opening.len() + taken));
    }
    let hour = hour_of(after.first()?)?;
    // "at 22 weeks" is no time.
    if after.get(1).is_some_and(|token| is_long_unit(token) || token.is_in(&COUNTED)) {
        return None;
    }
    let (hours, taken) = quarters(hour, after, 1);
    let (hours, taken) = period(hours, after, taken);
    Some((hours, opening.len() + taken))
}

/// `9:30`, `9.30 pm`, `9h30`, `9 heures`, `9am`, "neuf heures et demie"
fn on_the_clock(before: &[Token], rest: &[Token]) -> Option<(Hours, usize)> {
    let hour = hour_of(rest.first()?)?;
    let digits = rest[0].digits();
    if let (Some(digits), Some(minute)) = (digits, rest.get(1).and_then(|token| minutes(token, &[':', '.'])))
    {
        let is_dotted = rest[1].is_joined_by(&['.']);
        let is_exact = !is_dotted && (digits.len() == 2 || hour >= 12);
        let (hours, taken) = period(Hours { is_exact, ..Hours::clock(hour, minute) }, rest, 2);
        // A dotted number without more is a measure, such as `7.25`.
        return (!is_dotted || hours.part.is_some()).then_some((hours, taken));
    }
    if rest.get(1).is_some_and(|token| token.is_in(&["h", "heure", "heures"])) {
        return (!is_length(before)).then(|| in_french(hour, rest));
    }
    let (hours, taken) = period(Hours::clock(hour, 0), rest, 1);
    (digits.is_some() && hours.part.is_some()).then_some((hours, taken))
}

/// "toutes les 8 heures", "il y a 2 heures"
fn is_length(before: &[Token]) -> bool {
    match before {
        [.., y, a] if y.is("y") && a.is("a") => true,
        [.., last] => last.is_in(&LENGTHS),
        [] => false,
    }
}

/// "9 h 30", "9h30", "neuf heures et demie"; distances ("dans 2 heures") are read before.
fn in_french(hour: i8, rest: &[Token]) -> (Hours, usize) {
    let minute = rest.get(2).and_then(|token| minutes(token, &['\0', ' ']));
    let (hours, taken) = match minute {
        Some(minute) => (Hours::clock(hour, minute), 3),
        None => quarters(hour, rest, 2),
    };
    period(hours, rest, taken)
}

fn hour_of(token: &Token) -> Option<i8> {
    let written = token.digits().is_none_or(|digits| digits.len() <= 2) && !token.is_in(&["a", "an"]);
    token.number().filter(|hour| written && (0..24).contains(hour)).and_then(|hour| i8::try_from(hour).ok())
}

fn minutes(token: &Token, joints: &[char]) -> Option<i8> {
    let digits = token.digits().filter(|digits| digits.len() == 2 && token.is_joined_by(joints))?;
    digits.parse().ok().filter(|minute| (0..60).contains(minute))
}

/// "y media", "et quart", "menos cuarto", "moins le quart", "o'clock"
fn quarters(hour: i8, rest: &[Token], taken: usize) -> (Hours, usize) {
    let (whole, after) = (Hours::clock(hour, 0), &rest[taken.min(rest.len())..]);
    let is = |at: usize, words: &[&str]| after.get(at).is_some_and(|token| token.is_in(words));
    if is(0, &["oclock", "o"]) {
        return (whole, taken + if is(1, &["clock"]) { 2 } else { 1 });
    }
    if is(0, &["y", "et"]) && is(1, &["media", "demie"]) {
        return (Hours::clock(hour, 30), taken + 2);
    }
    if is(0, &["y", "et"]) && is(1, &["cuarto", "quart"]) {
        return (Hours::clock(hour, 15), taken + 2);
    }
    if is(0, &["menos"]) && is(1, &["cuarto"]) {
        return (before(hour, 15), taken + 2);
    }
    if is(0, &["moins"]) && is(1, &["le"]) && is(2, &["quart"]) {
        return (before(hour, 15), taken + 3);
    }
    (whole, taken)
}

const fn before(hour: i8, minutes: i8) -> Hours {
    let hour = match hour {
        0 => 23,
        // A quarter to one is a quarter past twelve's half, and not in the night.
        1 => 12,
        hour => hour - 1,
    };
    Hours::clock(hour, 60 - minutes)
}

/// Adds "am", "p.m.", "de la tarde" or the like behind a time.
fn period(hours: Hours, rest: &[Token], taken: usize) -> (Hours, usize) {
    let after = &rest[taken.min(rest.len())..];
    let half = |part| Hours { part: Some(part), ..hours };
    let [first, rest @ ..] = after else { return (hours, taken) };
    if let Some((_, part)) = HALVES.iter().find(|(word, _)| first.is(word)) {
        return (half(*part), taken + 1);
    }
    let is_spelt = rest.first().is_some_and(|m| m.is("m") && m.is_joined_by(&['.']));
    match HALVES.iter().find(|(word, _)| is_spelt && first.word() == word.get(..1)) {
        Some((_, part)) => (half(*part), taken + 2),
        None => PARTS
            .iter()
            .find(|(phrase, _)| starts_with(after, phrase))
            .map_or((hours, taken), |(phrase, part)| (half(*part), taken + phrase.len())),
    }
}
