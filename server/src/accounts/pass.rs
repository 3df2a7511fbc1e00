//! What somebody was let in with, and for how long it stays good.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::{AccountError, Accounts};
use crate::{
    ids::{DeviceId, UserId},
    storage::{Device, Standing, User},
};

/// Proof that somebody was let in.
#[derive(Clone, Debug)]
pub struct Pass {
    /// Who.
    pub user: User,
    /// On which device; none by a token of before there were devices.
    pub device: Option<Device>,
    /// When the token ends.
    pub expires_at: Timestamp,
    /// What an API key opens; none by a token, which opens all that its user may.
    pub scopes: Option<Vec<String>>,
}

/// Why an open socket has to be left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// The token has expired: come again with a new one.
    Expired,
    /// The device was logged out, or the user is gone.
    Revoked,
    /// The user is kept out for a while.
    Blocked,
}

impl Accounts {
    /// Waits until a pass counts no more: at its end at once, otherwise when `word` comes or the setting
    /// `auth.recheck` has passed, whichever is first. A store that does not answer ends nothing.
    pub async fn until_left(self, pass: Pass, mut word: watch::Receiver<()>) -> Leave {
        let device = pass.device.as_ref().map(|device| device.id);
        loop {
            let left = Duration::try_from(pass.expires_at.duration_since(self.clock.wall()));
            let Ok(left) = left else { return Leave::Expired };
            if left.is_zero() {
                return Leave::Expired;
            }
            let nap = self.clock.sleep(left.min(self.rules.recheck));
            tokio::select! {
                biased;
                told = word.changed() => if told.is_err() {
                    // Whoever could give word is gone, and with it the socket.
                    std::future::pending::<()>().await;
                },
                () = nap => {}
            }
            if let Some(leave) = self.reason_to_leave((pass.user.id, device), pass.expires_at).await {
                return leave;
            }
        }
    }

    async fn reason_to_leave(
        &self,
        (user, device): (UserId, Option<DeviceId>),
        expires_at: Timestamp,
    ) -> Option<Leave> {
        match self.let_in(user, device, expires_at).await {
            Ok(_) => None,
            Err(AccountError::Blocked { .. }) => Some(Leave::Blocked),
            Err(AccountError::ExpiredToken) => Some(Leave::Expired),
            Err(AccountError::Storage(error)) => {
                metrics::counter!("recheck_failed_total").increment(1);
                tracing::warn!(%error, "an open socket could not be checked");
                None
            }
            Err(_) => Some(Leave::Revoked),
        }
    }

    /// Returns the pass of this user and device, if all is well with both now.
    pub(super) async fn let_in(
        &self,
        user: UserId,
        device: Option<DeviceId>,
        expires_at: Timestamp,
    ) -> Result<Pass, AccountError> {
        let now = self.clock.wall();
        if expires_at <= now {
            return Err(AccountError::ExpiredToken);
        }
        if device.is_none() && !self.rules.tokens_without_device {
            return Err(AccountError::BadToken);
        }
        let standing = self.storage.standing(user, device).await?.ok_or(AccountError::BadToken)?;
        if device.is_some() && standing.device.is_none() {
            return Err(AccountError::LoggedOut);
        }
        unblocked(&standing, now)?;
        Ok(Pass { user: standing.user, device: standing.device, expires_at, scopes: None })
    }
}

/// Says for how long somebody is kept out, if at all.
pub(super) fn unblocked(standing: &Standing, now: Timestamp) -> Result<(), AccountError> {
    let block = standing.blocked_until.and_then(|until| Duration::try_from(until.duration_since(now)).ok());
    match block.filter(|left| !left.is_zero()) {
        Some(left) => Err(AccountError::Blocked { left }),
        None => Ok(()),
    }
}
