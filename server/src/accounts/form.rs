//! What people send to register and to log in, and what of it is accepted.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Longest e-mail address, in characters (RFC 5321 path limit).
const EMAIL_MAX: usize = 254;
/// Shortest password, in characters.
const PASSWORD_MIN: usize = 8;
/// Longest password, in characters: hashing costs time by length.
const PASSWORD_MAX: usize = 128;
/// Longest display name, in characters.
const DISPLAY_NAME_MAX: usize = 255;
/// Longest language tag, in characters.
const LANGUAGE_MAX: usize = 10;
/// The language of whoever names none.
const LANGUAGE_DEFAULT: &str = "en";

/// A request to register.
#[derive(Clone, Debug, Deserialize)]
pub struct Registration {
    email: String,
    password: SecretString,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    language: Option<String>,
    /// What the device calls itself.
    #[serde(default)]
    device: Option<String>,
}

/// A request to log in.
#[derive(Clone, Debug, Deserialize)]
pub struct Login {
    email: String,
    password: SecretString,
    /// What the device calls itself.
    #[serde(default)]
    device: Option<String>,
}

/// A registration that can be stored.
pub(super) struct Accepted {
    pub(super) email: String,
    pub(super) password: SecretString,
    pub(super) display_name: String,
    pub(super) language: String,
    pub(super) device: Option<String>,
}

/// A log-in that can be tried.
pub(super) struct Attempt {
    pub(super) email: String,
    pub(super) password: SecretString,
    pub(super) device: Option<String>,
}

impl Registration {
    /// Makes one of an address and a password.
    pub(super) const fn plain(email: String, password: SecretString) -> Self {
        Self { email, password, display_name: None, language: None, device: None }
    }

    /// Returns the account that is meant, as it would be stored.
    pub fn account(&self) -> String {
        account(&self.email)
    }

    /// Returns the same form for a device that is called so, unless it calls itself something.
    #[must_use]
    pub fn on(mut self, device: Option<String>) -> Self {
        self.device = self.device.or(device);
        self
    }

    /// Normalises the form, or says what is wrong with it.
    pub(super) fn checked(self) -> Result<Accepted, String> {
        let length = self.password.expose_secret().chars().count();
        if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&length) {
            return Err(format!("`password` must have {PASSWORD_MIN} to {PASSWORD_MAX} characters"));
        }
        let display_name = self.display_name.unwrap_or_default().trim().to_owned();
        at_most("display_name", &display_name, DISPLAY_NAME_MAX)?;
        let language = self.language.unwrap_or_default().trim().to_owned();
        at_most("language", &language, LANGUAGE_MAX)?;
        let language = if language.is_empty() { LANGUAGE_DEFAULT.to_owned() } else { language };
        let email = email(&self.email)?;
        Ok(Accepted { email, password: self.password, display_name, language, device: self.device })
    }
}

impl Login {
    /// Returns the account that is meant, as it would be stored.
    pub fn account(&self) -> String {
        account(&self.email)
    }

    /// Returns the same form for a device that is called so, unless it calls itself something.
    #[must_use]
    pub fn on(mut self, device: Option<String>) -> Self {
        self.device = self.device.or(device);
        self
    }

    /// Normalises the form, or says what is wrong with it.
    pub(super) fn checked(self) -> Result<Attempt, String> {
        at_most("password", self.password.expose_secret(), PASSWORD_MAX)?;
        Ok(Attempt { email: email(&self.email)?, password: self.password, device: self.device })
    }
}

/// Returns the account that an address means: trimmed and in lower case.
fn account(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Returns the address as it is stored, or says what is wrong with it.
pub(super) fn email(text: &str) -> Result<String, String> {
    let email = account(text);
    at_most("email", &email, EMAIL_MAX)?;
    let parts = email.split_once('@').filter(|(name, host)| {
        let host_fits = !host.is_empty() && !host.contains('@') && !host.starts_with('.');
        !name.is_empty() && host_fits && !email.chars().any(|c| c.is_whitespace() || c.is_control())
    });
    parts
        .map(|_| email.clone())
        .ok_or_else(|| "`email` must be an address such as `ana@example.org`".to_owned())
}

fn at_most(field: &str, text: &str, most: usize) -> Result<(), String> {
    if text.chars().count() > most {
        return Err(format!("`{field}` must have at most {most} characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_trimmed_and_in_lower_case() {
        assert_eq!(email("  Ana.Maria@Example.ORG "), Ok("ana.maria@example.org".to_owned()));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in ["", "@", "ana", "ana@", "@example.org", "a@b@c", "a b@c", "a@\u{7}c", "a@.c"] {
            assert!(email(wrong).is_err(), "{wrong}");
        }
        assert!(email(&format!("{}@example.org", "a".repeat(250))).is_err());
    }
}
