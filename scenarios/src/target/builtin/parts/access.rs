//! Log-ins and the audit log, weakened.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use clock::Timestamp;
use server::{
    ids::{ApiKeyId, DeviceId, UserId},
    storage::{
        AccessStorage, Actor, ApiKey, AuditEntry, AuditRow, Block, Device, FactorUse, NewDevice, NewTicket,
        RoleOutcome, Rotated, Rotation, SecondFactor, SecretHash, Standing, Stored, Ticket,
    },
};

use super::{Twist, WatchedStorage, handed_on};
use crate::target::builtin::under::Does;

/// What weakened log-ins need to know.
#[derive(Debug, Default)]
pub(super) struct Access {
    /// Which refresh token took the place of which.
    followed: Mutex<HashMap<String, SecretHash>>,
    tickets: Mutex<HashMap<String, Ticket>>,
    admins: Mutex<HashSet<UserId>>,
}

impl WatchedStorage {
    /// Uses the last refresh token of those that followed from this one.
    async fn rotate_the_last(&self, rotation: Rotation) -> Stored<Rotated> {
        let mut used = rotation.used;
        {
            let mut followed = self.access.followed.lock().unwrap_or_else(PoisonError::into_inner);
            while let Some(next) = followed.get(&used.0) {
                used = next.clone();
            }
            followed.insert(used.0.clone(), rotation.next.clone());
        }
        self.inner.rotate(Rotation { used, ..rotation }).await
    }

    /// Finds a ticket again that was used.
    async fn take_ticket_again(&self, hash: &SecretHash, at: Timestamp) -> Stored<Option<Ticket>> {
        let taken = self.inner.take_ticket(hash, at).await?;
        let mut tickets = self.access.tickets.lock().unwrap_or_else(PoisonError::into_inner);
        tickets.extend(taken.map(|ticket| (hash.0.clone(), ticket)));
        Ok(tickets.get(&hash.0).cloned())
    }

    /// Lets whoever was an administrator be one.
    fn keep_role(&self, standing: &mut Standing) {
        let mut admins = self.access.admins.lock().unwrap_or_else(PoisonError::into_inner);
        if standing.user.is_admin {
            admins.insert(standing.user.id);
        }
        standing.user.is_admin = admins.contains(&standing.user.id);
    }
}

#[async_trait]
impl AccessStorage for WatchedStorage {
    async fn add_device(&self, new: NewDevice) -> Stored<()> {
        handed_on!(Write, self.add_device(new))
    }

    async fn standing(&self, user: UserId, device: Option<DeviceId>) -> Stored<Option<Standing>> {
        let mut found = self.or_nobody(handed_on!(Read, self.standing(user, device)))?;
        if let (Twist::RoleOfTheFirstTime, Some(standing)) = (self.twist, &mut found) {
            self.keep_role(standing);
        }
        Ok(found)
    }

    async fn rotate(&self, rotation: Rotation) -> Stored<Rotated> {
        let _under_way = self.under.pass(Does::Write).await?;
        match self.twist {
            Twist::UsedTokenIsGood => self.rotate_the_last(rotation).await,
            _ => self.inner.rotate(rotation).await,
        }
    }

    async fn devices(&self, user: UserId, at: Timestamp) -> Stored<Vec<Device>> {
        handed_on!(Read, self.devices(user, at))
    }

    async fn remove_device(&self, user: UserId, id: DeviceId) -> Stored<bool> {
        match self.twist {
            Twist::LogoutForgotten => Ok(true),
            _ => handed_on!(Write, self.remove_device(user, id)),
        }
    }

    async fn remove_devices(&self, user: UserId) -> Stored<u32> {
        handed_on!(Write, self.remove_devices(user))
    }

    async fn add_ticket(&self, new: NewTicket) -> Stored<()> {
        handed_on!(Write, self.add_ticket(new))
    }

    async fn take_ticket(&self, hash: &SecretHash, at: Timestamp) -> Stored<Option<Ticket>> {
        let _under_way = self.under.pass(Does::Write).await?;
        match self.twist {
            Twist::TicketIsAKey => self.take_ticket_again(hash, at).await,
            _ => self.inner.take_ticket(hash, at).await,
        }
    }

    async fn block(&self, block: Block) -> Stored<()> {
        handed_on!(Write, self.block(block))
    }

    async fn unblock(&self, user: UserId, at: Timestamp) -> Stored<bool> {
        match self.twist {
            Twist::LiftedBlockStays => Ok(true),
            _ => handed_on!(Write, self.unblock(user, at)),
        }
    }

    async fn blocks(&self, at: Timestamp) -> Stored<Vec<Block>> {
        handed_on!(Read, self.blocks(at))
    }

    async fn set_admin(&self, user: UserId, is_admin: bool) -> Stored<RoleOutcome> {
        handed_on!(Write, self.set_admin(user, is_admin))
    }

    async fn second_factor(&self, user: UserId) -> Stored<Option<SecondFactor>> {
        handed_on!(Read, self.second_factor(user))
    }

    async fn offer_factor(&self, factor: SecondFactor) -> Stored<bool> {
        handed_on!(Write, self.offer_factor(factor))
    }

    async fn remove_factor(&self, user: UserId) -> Stored<bool> {
        handed_on!(Write, self.remove_factor(user))
    }

    async fn use_factor(&self, used: FactorUse) -> Stored<bool> {
        handed_on!(Write, self.use_factor(used))
    }

    async fn touch_factor(&self, device: DeviceId, at: Timestamp) -> Stored<()> {
        handed_on!(Write, self.touch_factor(device, at))
    }

    async fn add_api_key(&self, key: ApiKey, hash: SecretHash) -> Stored<()> {
        handed_on!(Write, self.add_api_key(key, hash))
    }

    async fn api_key(&self, hash: &SecretHash, at: Timestamp) -> Stored<Option<ApiKey>> {
        let at = if self.twist == Twist::KeyForEver { Timestamp::MIN } else { at };
        let mut found = handed_on!(Read, self.api_key(hash, at))?;
        if let (Twist::KeyOpensAll, Some(key)) = (self.twist, &mut found) {
            key.scopes.push("blocks:write".to_owned());
        }
        Ok(found)
    }

    async fn api_keys(&self) -> Stored<Vec<ApiKey>> {
        handed_on!(Read, self.api_keys())
    }

    async fn remove_api_key(&self, id: ApiKeyId) -> Stored<bool> {
        handed_on!(Write, self.remove_api_key(id))
    }

    async fn append_audit(&self, entries: &[AuditEntry]) -> Stored<()> {
        match self.twist {
            Twist::RefusalsUnaudited if entries.iter().any(|entry| entry.outcome == "refused") => Ok(()),
            Twist::PolicyUnaudited if entries.iter().any(|entry| entry.actor == Actor::Policy) => Ok(()),
            _ => handed_on!(Write, self.append_audit(entries)),
        }
    }

    async fn audit(&self, before: Option<u64>, limit: u32) -> Stored<Vec<AuditRow>> {
        handed_on!(Read, self.audit(before, limit))
    }
}
