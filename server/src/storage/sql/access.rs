//! Log-ins and the audit log in SQL: which text does what.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Database, api_keys, audit, blocks, devices, factors, tickets, users};
use crate::{
    ids::{ApiKeyId, DeviceId, UserId},
    storage::{
        AccessStorage, ApiKey, AuditEntry, AuditRow, Block, Device, FactorUse, NewDevice, NewTicket,
        RoleOutcome, Rotated, Rotation, SecondFactor, SecretHash, Standing, Stored, Ticket,
    },
};

#[async_trait]
impl AccessStorage for Database {
    async fn add_device(&self, new: NewDevice) -> Stored<()> {
        devices::add(self, new).await
    }

    async fn standing(&self, user: UserId, device: Option<DeviceId>) -> Stored<Option<Standing>> {
        devices::standing(self, user, device).await
    }

    async fn rotate(&self, rotation: Rotation) -> Stored<Rotated> {
        devices::rotate(self, rotation).await
    }

    async fn devices(&self, user: UserId, at: Timestamp) -> Stored<Vec<Device>> {
        devices::list(self, user, at).await
    }

    async fn remove_device(&self, user: UserId, id: DeviceId) -> Stored<bool> {
        devices::remove(self, user, id).await
    }

    async fn remove_devices(&self, user: UserId) -> Stored<u32> {
        devices::remove_all(self, user).await
    }

    async fn add_ticket(&self, new: NewTicket) -> Stored<()> {
        tickets::add(self, new).await
    }

    async fn take_ticket(&self, hash: &SecretHash, at: Timestamp) -> Stored<Option<Ticket>> {
        tickets::take(self, hash, at).await
    }

    async fn block(&self, block: Block) -> Stored<()> {
        blocks::set(self, block).await
    }

    async fn unblock(&self, user: UserId, at: Timestamp) -> Stored<bool> {
        blocks::lift(self, user, at).await
    }

    async fn blocks(&self, at: Timestamp) -> Stored<Vec<Block>> {
        blocks::list(self, at).await
    }

    async fn set_admin(&self, user: UserId, is_admin: bool) -> Stored<RoleOutcome> {
        users::set_admin(self, user, is_admin).await
    }

    async fn second_factor(&self, user: UserId) -> Stored<Option<SecondFactor>> {
        factors::find(self, user).await
    }

    async fn offer_factor(&self, factor: SecondFactor) -> Stored<bool> {
        factors::offer(self, factor).await
    }

    async fn remove_factor(&self, user: UserId) -> Stored<bool> {
        factors::remove(self, user).await
    }

    async fn use_factor(&self, used: FactorUse) -> Stored<bool> {
        factors::spend(self, used).await
    }

    async fn touch_factor(&self, device: DeviceId, at: Timestamp) -> Stored<()> {
        factors::touch(self, device, at).await
    }

    async fn add_api_key(&self, key: ApiKey, hash: SecretHash) -> Stored<()> {
        api_keys::add(self, key, hash).await
    }

    async fn api_key(&self, hash: &SecretHash, at: Timestamp) -> Stored<Option<ApiKey>> {
        api_keys::find(self, hash, at).await
    }

    async fn api_keys(&self) -> Stored<Vec<ApiKey>> {
        api_keys::list(self).await
    }

    async fn remove_api_key(&self, id: ApiKeyId) -> Stored<bool> {
        api_keys::remove(self, id).await
    }

    async fn append_audit(&self, entries: &[AuditEntry]) -> Stored<()> {
        audit::append(self, entries).await
    }

    async fn audit(&self, before: Option<u64>, limit: u32) -> Stored<Vec<AuditRow>> {
        audit::page(self, before, limit).await
    }
}
