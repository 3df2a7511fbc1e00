//! Consent: what users were shown, what they agreed to, and whether they still do (F114).
//!
//! A purpose has a version: it is raised when the purpose comes to mean something else, and then everybody is asked
//! anew. The words may be put better without that. Whoever agrees names the words by their hash, so that nobody agrees to
//! what was not shown; the words are kept with the consent as its proof, also when it is withdrawn.
//!
//! Invariants: where the setting `privacy.ask_consent` asks for it, no word of a user goes to the model before
//! [`Purpose::AiProviderTransfer`] is agreed to, and none a second after it was withdrawn, as long as the store answers at once. What cannot be looked up counts
//! as no consent before an answer begins, and as no withdrawal while one runs: a store that cannot be read cannot have
//! taken one. Nor is a fact learned there, or told to the model, without [`Purpose::HealthProcessing`].

use std::{str::FromStr, sync::Arc, time::Duration};

use clock::SharedClock;

use crate::{
    hash::sha256,
    ids::UserId,
    parts::Parts,
    storage::{Consent, NewConsent, Purpose, SharedStorage, StorageError, Stored, User},
    texts::SharedTexts,
};

/// How often it is looked up, while an answer runs, whether its user still agrees, on whatever replica that is said.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

impl Purpose {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] =
        [Self::Terms, Self::HealthProcessing, Self::AiProviderTransfer, Self::Analytics];

    /// Returns the name, which is also the last part of its text's key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Terms => "terms",
            Self::HealthProcessing => "health_processing",
            Self::AiProviderTransfer => "ai_provider_transfer",
            Self::Analytics => "analytics",
        }
    }

    /// Returns the version of what it means. Whoever changes the meaning raises it.
    pub const fn version(self) -> u32 {
        match self {
            Self::Terms | Self::HealthProcessing | Self::AiProviderTransfer | Self::Analytics => 1,
        }
    }
}

impl FromStr for Purpose {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name).ok_or(())
    }
}

/// The words of a purpose as a user is shown them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// What they are about.
    pub purpose: Purpose,
    /// The language that they are in.
    pub language: String,
    /// The words.
    pub text: String,
    /// The hash by which whoever agrees names them.
    pub shown: String,
}

/// Why a consent was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
    /// Other words would be agreed to than those in force.
    #[error("other words are in force than those that were agreed to")]
    OtherWords,
    /// The store did not take it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Asks for consents and remembers them. `Clone` shares it.
#[derive(Clone, Debug)]
pub struct Consents {
    storage: SharedStorage,
    clock: SharedClock,
    texts: SharedTexts,
    is_asked: bool,
}

impl Consents {
    /// Builds it from the server's parts.
    pub fn new(parts: &Parts) -> Self {
        Self {
            storage: Arc::clone(&parts.storage),
            clock: Arc::clone(&parts.clock),
            texts: Arc::clone(&parts.texts),
            is_asked: parts.config.privacy.ask_consent,
        }
    }

    /// Tells whether no message is answered by the model without consent to this.
    pub const fn requires(&self, purpose: Purpose) -> bool {
        self.is_asked && matches!(purpose, Purpose::AiProviderTransfer)
    }

    /// Returns the words of a purpose in the user's language, as they are in force.
    pub fn words(&self, user: &User, purpose: Purpose) -> Words {
        let found = self.texts.text(&format!("consent.{}", purpose.name()), &user.language, &[]);
        let shown = hash(purpose, purpose.version(), (&found.language, &found.text));
        Words { purpose, language: found.language, text: found.text, shown }
    }

    /// Returns what the user last agreed to for this purpose, withdrawn or not.
    pub async fn newest(&self, user: UserId, purpose: Purpose) -> Stored<Option<Consent>> {
        self.storage.consent(user, purpose).await
    }

    /// Returns every consent of the user to this purpose, oldest first.
    pub async fn history(&self, user: UserId, purpose: Purpose) -> Stored<Vec<Consent>> {
        self.storage.consents(user, purpose).await
    }

    /// Takes the consent of a user to the words with this hash.
    pub async fn give(&self, user: &User, purpose: Purpose, shown: &str) -> Result<Consent, ConsentError> {
        let words = self.words(user, purpose);
        if words.shown != shown {
            return Err(ConsentError::OtherWords);
        }
        let (language, text, at) = (words.language, words.text, self.clock.wall());
        let new = NewConsent { user: user.id, purpose, version: purpose.version(), language, text, at };
        Ok(self.storage.give_consent(new).await?)
    }

    /// Takes a consent back; `false` when there was none.
    pub async fn withdraw(&self, user: UserId, purpose: Purpose) -> Stored<bool> {
        self.storage.withdraw_consent(user, purpose, self.clock.wall()).await
    }

    /// Tells whether what the user says may go to the model.
    pub async fn lets_ask(&self, user: UserId) -> Stored<bool> {
        self.agrees(user, Purpose::AiProviderTransfer).await
    }

    /// Tells whether facts may be learned from what the user says, and told to the model later. What cannot be looked up
    /// is no consent.
    pub async fn lets_remember(&self, user: UserId) -> bool {
        self.agrees(user, Purpose::HealthProcessing).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "consent could not be looked up: nothing is remembered");
            false
        })
    }

    async fn agrees(&self, user: UserId, purpose: Purpose) -> Stored<bool> {
        Ok(!self.is_asked || self.newest(user, purpose).await?.is_some_and(|newest| is_in_force(&newest)))
    }

    /// Waits until what the user says may not go to the model any more; for ever where nobody is asked.
    /// Cancellation-safe.
    pub async fn until_withdrawn(&self, user: UserId) {
        if !self.requires(Purpose::AiProviderTransfer) {
            return std::future::pending().await;
        }
        loop {
            self.clock.sleep(LOOK_INTERVAL).await;
            match self.lets_ask(user).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(%error, "consent could not be looked up"),
            }
        }
    }
}

/// Tells whether a consent holds: it was not withdrawn, and is to what its purpose means now.
pub fn is_in_force(consent: &Consent) -> bool {
    consent.withdrawn_at.is_none() && consent.version == consent.purpose.version()
}

/// Returns the hash that words are named by.
pub fn hash(purpose: Purpose, version: u32, (language, text): (&str, &str)) -> String {
    sha256(format!("{}\0{version}\0{language}\0{text}", purpose.name()).as_bytes())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::texts::Texts as _;

    #[test]
    fn every_purpose_is_found_by_its_name_and_all_is_said_in_every_language_f114() {
        let texts = crate::texts::FluentTexts::built_in();
        for purpose in Purpose::ALL {
            assert_eq!(purpose.name().parse(), Ok(purpose));
        }
        for key in Purpose::ALL.map(Purpose::name).into_iter().chain(["needed", "withdrawn"]) {
            for language in ["en", "es", "fr"] {
                let found = texts.text(&format!("consent.{key}"), language, &[]);
                assert_eq!((found.language.as_str(), found.fell_back), (language, false), "{key}");
            }
        }
        assert_eq!("Terms".parse::<Purpose>(), Err(()));
    }

    #[test]
    fn the_hash_changes_with_everything_that_is_agreed_to_f114() {
        let of = |purpose, version, language, text| hash(purpose, version, (language, text));
        let base = of(Purpose::Terms, 1, "en", "a");

        assert_eq!(base, of(Purpose::Terms, 1, "en", "a"));
        for other in [
            of(Purpose::Analytics, 1, "en", "a"),
            of(Purpose::Terms, 2, "en", "a"),
            of(Purpose::Terms, 1, "es", "a"),
            of(Purpose::Terms, 1, "en", "b"),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn what_was_withdrawn_or_meant_something_else_is_not_in_force_f114() {
        let purpose = Purpose::AiProviderTransfer;
        let given = Consent {
            purpose,
            version: purpose.version(),
            language: "en".to_owned(),
            text: "words".to_owned(),
            given_at: Timestamp::UNIX_EPOCH,
            withdrawn_at: None,
        };

        assert!(is_in_force(&given));
        assert!(!is_in_force(&Consent { version: purpose.version() - 1, ..given.clone() }));
        assert!(!is_in_force(&Consent { withdrawn_at: Some(Timestamp::UNIX_EPOCH), ..given }));
    }
}
