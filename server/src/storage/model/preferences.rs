//! What users choose about their calendar.

use std::{fmt, str::FromStr};

use jiff::{
    Timestamp, Zoned,
    civil::{Time, time},
    tz::TimeZone,
};
use serde::{Serialize, Serializer};

use crate::ids::UserId;

/// A time zone of the IANA database, such as `Europe/Madrid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Universal time, the zone of whoever has chosen none.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Returns what this zone's clocks show at a moment.
    pub fn at(&self, moment: Timestamp) -> Zoned {
        moment.to_zoned(self.0.clone())
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let shown: String = name.chars().take(40).collect();
        let zone = TimeZone::get(name).ok().filter(|zone| zone.iana_name().is_some());
        zone.map(Self)
            .ok_or_else(|| format!("`{shown}` is no time zone; write one such as `Europe/Madrid` or `UTC`"))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

/// A time of day, to the minute: `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DayTime(Time);

impl DayTime {
    /// Nine in the morning.
    pub const NINE: Self = Self(time(9, 0, 0, 0));

    /// Returns it as a time of the civil day.
    pub const fn time(self) -> Time {
        self.0
    }
}

impl FromStr for DayTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shown: String = text.chars().take(40).collect();
        let wrong = || format!("`{shown}` is no time of day; write `HH:MM` from `00:00` to `23:59`");
        let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
        let part = |digits: &str| -> Option<i8> {
            let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse().ok()).flatten()
        };
        let time = part(hour).zip(part(minute)).and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok());
        time.map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for DayTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl Serialize for DayTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Hours in which nothing is proposed; they may go over midnight. Where both ends are the same there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct QuietHours {
    /// The first quiet minute.
    pub from: DayTime,
    /// The first minute after them.
    pub to: DayTime,
}

impl QuietHours {
    /// Returns whether a time of day is quiet.
    pub fn hold(self, time: Time) -> bool {
        let (from, to) = (self.from.time(), self.to.time());
        if from <= to { (from..to).contains(&time) } else { time >= from || time < to }
    }
}

/// The choices of a user, or what holds for who has made none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// In which zone the user lives.
    pub time_zone: Zone,
    /// When to remind where no time of day is named (F83).
    pub default_time: DayTime,
    /// Whether reminders of low priority are made without asking (F81).
    pub auto_create_low_priority: bool,
    /// Whether what is urgent is made only with a time that the user has confirmed (F82).
    pub require_confirm_for_urgent: bool,
    /// Whether proposals are moved to where nothing else is (F84).
    pub smart_scheduling: bool,
    /// When nothing is proposed (F80).
    pub quiet: Option<QuietHours>,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            time_zone: Zone::UTC,
            default_time: DayTime::NINE,
            auto_create_low_priority: false,
            require_confirm_for_urgent: true,
            smart_scheduling: false,
            quiet: Some(QuietHours { from: DayTime(time(22, 0, 0, 0)), to: DayTime(time(8, 0, 0, 0)) }),
        }
    }
}

/// The stored choices of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// Counts the writes from 1; 0 where nothing is stored and the defaults hold.
    pub version: i64,
    /// What holds.
    pub choices: Choices,
}

/// Choices to be stored.
#[derive(Clone, Debug)]
pub struct PreferencesWrite {
    /// Whose.
    pub user: UserId,
    /// What shall hold.
    pub choices: Choices,
    /// The version that must be stored; `None` writes over any.
    pub expected: Option<i64>,
    /// When.
    pub at: Timestamp,
}

/// What became of a [`PreferencesWrite`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreferencesOutcome {
    /// They are stored.
    Written(Preferences),
    /// Another version is stored.
    Stale(Preferences),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_of_day_is_two_digits_twice_f83() {
        for text in ["00:00", "09:00", "23:59"] {
            assert_eq!(text.parse::<DayTime>().unwrap().to_string(), text);
        }
        for text in ["", "9:00", "09:0", "24:00", "09:60", "09:00:00", "+9:00", "nine", "09.00", "٠٩:٠٠"]
        {
            assert!(text.parse::<DayTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_zone_is_known_by_its_iana_name_f85() {
        assert_eq!("europe/madrid".parse::<Zone>().unwrap().to_string(), "Europe/Madrid");
        for name in ["", "Mars/Base", "+02:00", "CET-1CEST,M3.5.0,M10.5.0/3"] {
            assert!(name.parse::<Zone>().is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn quiet_hours_hold_each_minute_of_their_span_f80(
            from in 0..1440_i32, length in 0..1440_i32, since in prop_oneof![Just(0), Just(1439), 0..1440_i32],
        ) {
            let day_time = |minutes: i32| {
                let (hour, minute) = (minutes / 60 % 24, minutes % 60);
                DayTime(time(i8::try_from(hour).unwrap(), i8::try_from(minute).unwrap(), 0, 0))
            };
            let quiet = QuietHours { from: day_time(from), to: day_time(from + length) };

            prop_assert_eq!(quiet.hold(day_time(from + since).time()), since < length);
            prop_assert!(!quiet.hold(day_time(from + length).time()), "the end is not quiet");
        }
    }
}
