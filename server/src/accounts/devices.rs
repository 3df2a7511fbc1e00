//! Devices: refresh tokens that are used once, and logging out.
//!
//! A log-in makes a device. Its refresh token is good for one use, which brings the next. A token that is used
//! twice was copied: who of the two is the thief cannot be known, so the device is logged out for both.

use jiff::Timestamp;

use super::{
    AccountError, Accounts, Pass, Renewed, SignedIn,
    secret::{self, Secret},
};
use crate::{
    ids::{DeviceId, UserId},
    storage::{Device, NewDevice, NewTicket, Rotated, Rotation, Ticket, User},
};

/// What refresh tokens begin with.
const REFRESH_PREFIX: &str = "rt_";

/// What tickets begin with.
const TICKET_PREFIX: &str = "wt_";

/// Longest name of a device, in characters; the rest is cut off.
const NAME_MAX: usize = 64;

/// The name of a device that tells none.
const UNNAMED: &str = "unnamed";

impl Accounts {
    /// Makes a device for a user who has just proved who it is.
    pub(super) async fn sign_in(&self, user: User, name: Option<String>) -> Result<SignedIn, AccountError> {
        let (now, refresh) = (self.clock.wall(), Secret::random(REFRESH_PREFIX));
        let device = Device {
            id: DeviceId::random(),
            user: user.id,
            name: shortened(name),
            created_at: now,
            seen_at: now,
            expires_at: self.last_end(now),
            factor_at: None,
        };
        let token = self.tokens.issue(&user, device.id, (now, self.rules.token_life))?;
        let (hash, token_expires_at) = (refresh.hash(), after(now, self.rules.refresh_life));
        let renewed = self.renewed((&user, device.id), now, refresh)?;
        self.storage.add_device(NewDevice { device, token: hash, token_expires_at }).await?;
        Ok(SignedIn { token, renewed, user })
    }

    /// Takes a refresh token for a new one and an access token. A token that was used before logs its device out.
    pub async fn refresh(&self, token: &str) -> Result<(UserId, Renewed), AccountError> {
        let (now, next) = (self.clock.wall(), Secret::random(REFRESH_PREFIX));
        let rotation = Rotation {
            used: secret::hash(token),
            next: next.hash(),
            at: now,
            token_expires_at: after(now, self.rules.refresh_life),
            expires_at: self.last_end(now),
        };
        match self.storage.rotate(rotation).await? {
            Rotated::Next(device, user) => Ok((user.id, self.renewed((&user, device.id), now, next)?)),
            Rotated::Reused(user, device) => {
                metrics::counter!("refresh_reused_total").increment(1);
                tracing::warn!(%user, %device, "refresh token was used twice; its device is logged out");
                Err(AccountError::Reused { user })
            }
            Rotated::Expired | Rotated::Unknown => Err(AccountError::BadRefresh),
        }
    }

    fn renewed(
        &self,
        (user, device): (&User, DeviceId),
        now: Timestamp,
        refresh: Secret,
    ) -> Result<Renewed, AccountError> {
        Ok(Renewed {
            access_token: self.tokens.issue(user, device, (now, self.rules.access_life))?,
            access_life: self.rules.access_life,
            refresh_token: refresh.reveal(),
            refresh_life: self.rules.refresh_life,
            device,
        })
    }

    /// Logs out the device of this pass.
    pub async fn logout(&self, pass: &Pass) -> Result<(), AccountError> {
        let device = pass.device.as_ref().ok_or(AccountError::NoDevice)?;
        self.storage.remove_device(device.user, device.id).await?;
        Ok(())
    }

    /// Logs out all devices of the user; returns how many. Tokens that name no device are not ended.
    pub async fn logout_all(&self, user: UserId) -> Result<u32, AccountError> {
        Ok(self.storage.remove_devices(user).await?)
    }

    /// Returns the devices on which the user is logged in, last seen first.
    pub async fn devices(&self, user: UserId) -> Result<Vec<Device>, AccountError> {
        Ok(self.storage.devices(user, self.clock.wall()).await?)
    }

    /// Logs out one device of the user; `false` when there is none with this id.
    pub async fn end_device(&self, user: UserId, id: DeviceId) -> Result<bool, AccountError> {
        Ok(self.storage.remove_device(user, id).await?)
    }

    /// Sells a ticket for one socket: good once, for the setting `auth.ticket_life`.
    pub async fn ticket(&self, pass: &Pass) -> Result<String, AccountError> {
        let (at, ticket) = (self.clock.wall(), Secret::random(TICKET_PREFIX));
        let new = NewTicket {
            ticket: Ticket {
                user: pass.user.id,
                device: pass.device.as_ref().map(|device| device.id),
                token_expires_at: pass.expires_at,
            },
            hash: ticket.hash(),
            at,
            expires_at: after(at, self.rules.ticket_life),
        };
        self.storage.add_ticket(new).await?;
        Ok(ticket.reveal())
    }

    /// Returns whose ticket this is, and uses it up. What was true of its token must still be.
    pub async fn redeem(&self, ticket: &str) -> Result<Pass, AccountError> {
        let taken = self.storage.take_ticket(&secret::hash(ticket), self.clock.wall()).await?;
        let ticket = taken.ok_or(AccountError::BadTicket)?;
        self.let_in(ticket.user, ticket.device, ticket.token_expires_at).await
    }

    /// Returns when the last token ends of a device that is seen now.
    fn last_end(&self, now: Timestamp) -> Timestamp {
        after(now, self.rules.refresh_life.max(self.rules.token_life).max(self.rules.access_life))
    }
}

fn after(now: Timestamp, life: std::time::Duration) -> Timestamp {
    now.checked_add(life).unwrap_or(Timestamp::MAX)
}

fn shortened(name: Option<String>) -> String {
    let name: String =
        name.unwrap_or_default().trim().chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
    if name.is_empty() { UNNAMED.to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_a_short_name_whatever_it_calls_itself_f143() {
        assert_eq!(shortened(Some("  Ana's phone\n".to_owned())), "Ana's phone");
        assert_eq!(shortened(Some("é".repeat(100))).chars().count(), NAME_MAX);
        assert_eq!(shortened(Some(" \u{7} ".to_owned())).trim(), UNNAMED);
        assert_eq!(shortened(None), UNNAMED);
    }
}
