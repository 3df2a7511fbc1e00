//! What a server is run for.

use std::str::FromStr;

/// Settings beneath those of file and environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// The defaults: everything that clients of v0 know works.
    #[default]
    Development,
    /// For people whose data is real.
    Production,
}

impl Profile {
    const ALL: [Self; 2] = [Self::Development, Self::Production];

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }

    /// Returns the settings that differ from the defaults, as TOML.
    pub(super) const fn settings(self) -> Option<&'static str> {
        match self {
            Self::Development => None,
            Self::Production => Some(include_str!("production.toml")),
        }
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|profile| profile.name() == name);
        known.ok_or_else(|| "expected `development` or `production`".to_owned())
    }
}
