//! Log-ins and the audit log, with patience.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Patient;
use crate::{
    ids::{ApiKeyId, DeviceId, UserId},
    storage::{
        AccessStorage, ApiKey, AuditEntry, AuditRow, Block, Device, FactorUse, NewDevice, NewTicket,
        RoleOutcome, Rotated, Rotation, SecondFactor, SecretHash, Standing, Stored, Ticket,
    },
};

#[async_trait]
impl AccessStorage for Patient {
    async fn add_device(&self, new: NewDevice) -> Stored<()> {
        self.within(self.inner.add_device(new)).await
    }

    async fn standing(&self, user: UserId, device: Option<DeviceId>) -> Stored<Option<Standing>> {
        self.within(self.inner.standing(user, device)).await
    }

    async fn rotate(&self, rotation: Rotation) -> Stored<Rotated> {
        self.within(self.inner.rotate(rotation)).await
    }

    async fn devices(&self, user: UserId, at: Timestamp) -> Stored<Vec<Device>> {
        self.within(self.inner.devices(user, at)).await
    }

    async fn remove_device(&self, user: UserId, id: DeviceId) -> Stored<bool> {
        self.within(self.inner.remove_device(user, id)).await
    }

    async fn remove_devices(&self, user: UserId) -> Stored<u32> {
        self.within(self.inner.remove_devices(user)).await
    }

    async fn add_ticket(&self, new: NewTicket) -> Stored<()> {
        self.within(self.inner.add_ticket(new)).await
    }

    async fn take_ticket(&self, hash: &SecretHash, at: Timestamp) -> Stored<Option<Ticket>> {
        self.within(self.inner.take_ticket(hash, at)).await
    }

    async fn block(&self, block: Block) -> Stored<()> {
        self.within(self.inner.block(block)).await
    }

    async fn unblock(&self, user: UserId, at: Timestamp) -> Stored<bool> {
        self.within(self.inner.unblock(user, at)).await
    }

    async fn blocks(&self, at: Timestamp) -> Stored<Vec<Block>> {
        self.within(self.inner.blocks(at)).await
    }

    async fn set_admin(&self, user: UserId, is_admin: bool) -> Stored<RoleOutcome> {
        self.within(self.inner.set_admin(user, is_admin)).await
    }

    async fn second_factor(&self, user: UserId) -> Stored<Option<SecondFactor>> {
        self.within(self.inner.second_factor(user)).await
    }

    async fn offer_factor(&self, factor: SecondFactor) -> Stored<bool> {
        self.within(self.inner.offer_factor(factor)).await
    }

    async fn remove_factor(&self, user: UserId) -> Stored<bool> {
        self.within(self.inner.remove_factor(user)).await
    }

    async fn use_factor(&self, used: FactorUse) -> Stored<bool> {
        self.within(self.inner.use_factor(used)).await
    }

    async fn touch_factor(&self, device: DeviceId, at: Timestamp) -> Stored<()> {
        self.within(self.inner.touch_factor(device, at)).await
    }

    async fn add_api_key(&self, key: ApiKey, hash: SecretHash) -> Stored<()> {
        self.within(self.inner.add_api_key(key, hash)).await
    }

    async fn api_key(&self, hash: &SecretHash, at: Timestamp) -> Stored<Option<ApiKey>> {
        self.within(self.inner.api_key(hash, at)).await
    }

    async fn api_keys(&self) -> Stored<Vec<ApiKey>> {
        self.within(self.inner.api_keys()).await
    }

    async fn remove_api_key(&self, id: ApiKeyId) -> Stored<bool> {
        self.within(self.inner.remove_api_key(id)).await
    }

    async fn append_audit(&self, entries: &[AuditEntry]) -> Stored<()> {
        self.within(self.inner.append_audit(entries)).await
    }

    async fn audit(&self, before: Option<u64>, limit: u32) -> Stored<Vec<AuditRow>> {
        self.within(self.inner.audit(before, limit)).await
    }
}
