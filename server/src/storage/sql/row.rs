//! Values in and out of rows, the same for both engines.
//!
//! Invariant: what is written here is read back equal. A row that says something else is reported as
//! corrupt with the table's name, never guessed.

use std::{fmt::Display, str::FromStr};

use jiff::Timestamp;
use sqlx::{Decode, Row, Type, any::AnyRow};

use crate::storage::{
    FactSource, MessageKind, Origin, Priority, SessionReason, StorageError, Stored, SuggestionType,
};

/// A value of a small set, stored as a word.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// Every value with its word. A word, once released, never changes.
    const WORDS: &'static [(Self, &'static str)];

    /// Returns the word of this value.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(value, _)| *value == self).map_or("", |(_, word)| word)
    }
}

impl Word for SessionReason {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::First, "first"),
        (Self::Idle, "idle"),
        (Self::Length, "length"),
        (Self::Ended, "ended"),
        (Self::Intent, "intent"),
    ];
}

impl Word for MessageKind {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::Said, "said"),
        (Self::Answer, "answer"),
        (Self::Interrupted, "interrupted"),
        (Self::Fallback, "fallback"),
        (Self::Safety, "safety"),
    ];
}

impl Word for FactSource {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Extracted, "extracted"), (Self::UserEdit, "user_edit")];
}

impl Word for SuggestionType {
    const WORDS: &'static [(Self, &'static str)] = &[
        (Self::SymptomFollowup, "symptom_followup"),
        (Self::Appointment, "appointment"),
        (Self::Reminder, "reminder"),
    ];
}

impl Word for Priority {
    const WORDS: &'static [(Self, &'static str)] =
        &[(Self::Low, "low"), (Self::Medium, "medium"), (Self::High, "high"), (Self::Urgent, "urgent")];
}

impl Word for Origin {
    const WORDS: &'static [(Self, &'static str)] = &[(Self::User, "user"), (Self::Policy, "policy")];
}

/// Returns the form in which a time is stored: whole microseconds.
pub(super) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

/// Returns the form in which a text is stored. PostgreSQL knows no NUL in texts, so it becomes U+FFFD on
/// either engine.
pub(super) fn text(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// One row of a table, read by column name.
pub(super) struct Columns<'r> {
    table: &'static str,
    row: &'r AnyRow,
}

impl<'r> Columns<'r> {
    /// Reads `row`, which came from `table`.
    pub(super) const fn new(table: &'static str, row: &'r AnyRow) -> Self {
        Self { table, row }
    }

    /// Reads a value as the engine gives it.
    pub(super) fn get<T: Decode<'r, sqlx::Any> + Type<sqlx::Any>>(&self, name: &'static str) -> Stored<T> {
        Ok(self.row.try_get(name)?)
    }

    pub(super) fn text(&self, name: &'static str) -> Stored<String> {
        self.get(name)
    }

    pub(super) fn flag(&self, name: &'static str) -> Stored<bool> {
        Ok(self.get::<i64>(name)? != 0)
    }

    pub(super) fn count(&self, name: &'static str) -> Stored<u32> {
        let count = self.get::<i64>(name)?;
        u32::try_from(count).map_err(|_| self.corrupt(name, "a count", count))
    }

    pub(super) fn minutes(&self, name: &'static str) -> Stored<i32> {
        let minutes = self.get::<i64>(name)?;
        i32::try_from(minutes).map_err(|_| self.corrupt(name, "minutes", minutes))
    }

    pub(super) fn time(&self, name: &'static str) -> Stored<Timestamp> {
        self.time_from(name, self.get(name)?)
    }

    pub(super) fn maybe_time(&self, name: &'static str) -> Stored<Option<Timestamp>> {
        self.get::<Option<i64>>(name)?.map(|micros| self.time_from(name, micros)).transpose()
    }

    pub(super) fn id<T: FromStr>(&self, name: &'static str) -> Stored<T> {
        self.id_from(name, &self.text(name)?)
    }

    pub(super) fn maybe_id<T: FromStr>(&self, name: &'static str) -> Stored<Option<T>> {
        self.get::<Option<String>>(name)?.map(|text| self.id_from(name, &text)).transpose()
    }

    pub(super) fn word<T: Word>(&self, name: &'static str) -> Stored<T> {
        let found = self.text(name)?;
        let known = T::WORDS.iter().find(|(_, word)| *word == found);
        known.map(|(value, _)| *value).ok_or_else(|| self.corrupt(name, "a known word", found))
    }

    /// Reads what is stored as its text.
    pub(super) fn parsed<T: FromStr<Err = String>>(&self, name: &'static str) -> Stored<T> {
        self.parsed_from(name, &self.text(name)?)
    }

    /// Reads what is stored as its text, or is absent.
    pub(super) fn maybe_parsed<T: FromStr<Err = String>>(&self, name: &'static str) -> Stored<Option<T>> {
        self.get::<Option<String>>(name)?.map(|text| self.parsed_from(name, &text)).transpose()
    }

    fn parsed_from<T: FromStr<Err = String>>(&self, name: &str, text: &str) -> Stored<T> {
        text.parse().map_err(|problem: String| StorageError::Corrupt {
            table: self.table,
            problem: format!("in column `{name}`: {problem}"),
        })
    }

    fn time_from(&self, name: &str, micros: i64) -> Stored<Timestamp> {
        Timestamp::from_microsecond(micros).map_err(|_| self.corrupt(name, "a time in microseconds", micros))
    }

    fn id_from<T: FromStr>(&self, name: &str, text: &str) -> Stored<T> {
        text.parse().map_err(|_| self.corrupt(name, "an id", text))
    }

    fn corrupt(&self, name: &str, expected: &str, found: impl Display) -> StorageError {
        StorageError::Corrupt {
            table: self.table,
            problem: format!("`{found}` in column `{name}`, expected {expected}"),
        }
    }
}
