//! The REST routes, one file per kind of thing, and how their input is read.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod consents;
pub(crate) mod conversations;
pub(crate) mod devices;
pub(crate) mod document;
pub(crate) mod factor;
pub(crate) mod facts;
pub(crate) mod feed;
pub(crate) mod glossary;
pub(crate) mod health;
mod input;
pub(crate) mod languages;
pub(crate) mod page;
pub(crate) mod preference;
pub(crate) mod preferences;
pub(crate) mod reminders;
pub(crate) mod socket;
pub(crate) mod suggestions;
pub(crate) mod texts;
pub(crate) mod words;
