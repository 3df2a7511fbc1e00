//! Named scripts: the files under `profiles/`, embedded at build time.

use super::Script;
use crate::catalogue::nearest;

static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/profiles.rs"));

/// There is no profile of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "profile `{name}` does not exist{}; there are {}",
    .nearest.map(|name| format!(", did you mean `{name}`")).unwrap_or_default(),
    Script::profiles().map(|(name, _)| name).collect::<Vec<_>>().join(", ")
)]
pub struct UnknownProfile {
    /// What was asked for.
    pub name: String,
    /// The nearest name, if one is near.
    pub nearest: Option<&'static str>,
}

impl Script {
    /// Returns the script of a profile, one of [`Script::profiles`].
    ///
    /// # Panics
    ///
    /// When a file that was compiled in is malformed; the tests of this crate read them all.
    pub fn profile(name: &str) -> Result<Self, UnknownProfile> {
        let nearest = || nearest(name, FILES.iter().map(|(name, _)| *name));
        let unknown = || UnknownProfile { name: name.to_owned(), nearest: nearest() };
        let (_, text) = FILES.iter().find(|(known, _)| *known == name).ok_or_else(unknown)?;
        match Self::from_toml(text) {
            Ok(script) => Ok(script),
            Err(error) => panic!("embedded profile `{name}.toml` is malformed: {error}"),
        }
    }

    /// Returns the names of all profiles with their files: scripts whose comments say where each number
    /// comes from.
    pub fn profiles() -> impl Iterator<Item = (&'static str, &'static str)> {
        FILES.iter().copied()
    }
}
