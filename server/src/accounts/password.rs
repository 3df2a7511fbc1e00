//! argon2id, on threads that may be slow, and not on too many of them.

use std::{sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{Error, PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::config::Auth;

/// Passwords that are hashed at once; each takes a thread and, by default, 19 MiB.
const HASHES_AT_ONCE: usize = 4;

/// Passwords that wait for their turn or have it; more are turned away.
const HASHES_WAITING: usize = 64;

/// How long somebody who is turned away should wait.
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(1);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum HashError {
    /// Too many are waiting.
    Busy,
    /// The library or the thread failed.
    Failed(String),
}

/// Makes and checks password hashes.
#[derive(Debug)]
pub(super) struct Passwords {
    memory_kib: u32,
    passes: u32,
    waiting: Arc<Semaphore>,
    working: Arc<Semaphore>,
}

impl Passwords {
    pub(super) fn new(auth: &Auth) -> Self {
        Self {
            memory_kib: auth.argon2_memory_kib,
            passes: auth.argon2_passes,
            waiting: Arc::new(Semaphore::new(HASHES_WAITING)),
            working: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
        }
    }

    /// Returns the hash of a password in PHC form.
    pub(super) async fn hash(&self, password: SecretString) -> Result<String, HashError> {
        let params = Params::new(self.memory_kib, self.passes, 1, None).map_err(failed)?;
        self.off_thread(move || {
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let salt = Uuid::new_v4();
            let hash: PasswordHash = argon2
                .hash_password_with_salt(password.expose_secret().as_bytes(), salt.as_bytes())
                .map_err(failed)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Tells whether the password is the one of this hash. Without a hash the work is done too.
    pub(super) async fn verify(
        &self,
        password: SecretString,
        hash: Option<String>,
    ) -> Result<bool, HashError> {
        let hash = hash.unwrap_or_else(|| self.nobodys_hash());
        self.off_thread(move || {
            let checked =
                Argon2::default().verify_password(password.expose_secret().as_bytes(), hash.as_str());
            match checked {
                Ok(()) => Ok(true),
                Err(Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(failed(error)),
            }
        })
        .await
    }

    /// Returns a hash that costs as much as any and that no password is known for.
    fn nobodys_hash(&self) -> String {
        let (memory, passes) = (self.memory_kib, self.passes);
        let (salt, hash) = ("A".repeat(22), "A".repeat(43));
        format!("$argon2id$v=19$m={memory},t={passes},p=1${salt}${hash}")
    }

    /// Runs slow work elsewhere. The place is held until the work is done, even if nobody waits any more.
    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| HashError::Busy)?;
        let turn = Arc::clone(&self.working).acquire_owned().await.map_err(failed)?;
        let held: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (place, turn);
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(held);
            result
        });
        done.await.map_err(failed)?
    }
}

fn failed<E: std::error::Error>(cause: E) -> HashError {
    HashError::Failed(cause.to_string())
}

#[cfg(test)]
mod tests {
    use clock::SystemClock;
    use serde_json::{from_value, json};

    use super::*;
    use crate::{
        accounts::{AccountError, Accounts},
        storage::{Database, SharedStorage},
    };

    fn cheap() -> Auth {
        Auth { argon2_memory_kib: 8, argon2_passes: 2, ..Auth::default() }
    }

    fn passwords() -> Passwords {
        Passwords::new(&cheap())
    }

    #[tokio::test]
    async fn only_the_right_password_fits_its_hash() {
        let passwords = passwords();

        let hash = passwords.hash("correct horse".into()).await.unwrap();

        assert!(hash.starts_with("$argon2id$v=19$m=8,t=2,p=1$"));
        assert!(passwords.verify("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("battery staple".into(), Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobodys_hash_is_worked_through_and_fits_nothing() {
        let passwords = passwords();

        assert!(!passwords.verify("anything".into(), None).await.unwrap());
        let params = |hash: &str| Params::try_from(&PasswordHash::new(hash).unwrap()).unwrap();
        let (nobodys, anas) = (passwords.nobodys_hash(), passwords.hash("x".into()).await.unwrap());
        assert_eq!(params(&nobodys), params(&anas), "it costs as much as any");
    }

    /// Who is turned away for want of a place has shown that a place was asked for.
    #[tokio::test]
    async fn an_address_is_hashed_for_whether_somebody_has_it_or_not_f142() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/chat.db", folder.path().display());
        let storage: SharedStorage = Arc::new(Database::open(&url, 2).await.unwrap());
        let accounts = Accounts::new(storage, Arc::new(SystemClock::new()), &cheap());
        let form = |email| json!({"email": email, "password": "correct horse"});
        let register = async |email| accounts.register(from_value(form(email)).unwrap()).await;
        let log_in = async |email| accounts.login(from_value(form(email)).unwrap()).await;
        register("ana@a.org").await.unwrap();
        log_in("ana@a.org").await.unwrap();
        assert!(matches!(log_in("bea@a.org").await, Err(AccountError::Refused { known: None })));
        assert!(matches!(register("ana@a.org").await, Err(AccountError::Taken)));

        let all = Arc::clone(&accounts.passwords.waiting).try_acquire_many_owned(64).unwrap();

        for email in ["ana@a.org", "bea@a.org"] {
            assert!(matches!(log_in(email).await, Err(AccountError::Busy)), "{email} logs in");
            assert!(matches!(register(email).await, Err(AccountError::Busy)), "{email} registers");
        }
        drop(all);
        register("bea@a.org").await.unwrap();
    }

    #[tokio::test]
    async fn who_finds_the_waiting_room_full_is_told_so() {
        let passwords = passwords();
        let _all = Arc::clone(&passwords.waiting).try_acquire_many_owned(64).unwrap();

        assert!(matches!(passwords.hash("x".into()).await, Err(HashError::Busy)));
    }
}
