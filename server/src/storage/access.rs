//! What is remembered of log-ins, and of what was done by whom.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    ApiKey, AuditEntry, AuditRow, Block, Device, FactorUse, NewDevice, NewTicket, RoleOutcome, Rotated,
    Rotation, SecondFactor, SecretHash, Standing, Stored, Ticket,
};
use crate::ids::{ApiKeyId, DeviceId, UserId};

/// The part of [`Storage`](super::Storage) that says who may do what. The same promises hold.
#[async_trait]
pub trait AccessStorage: std::fmt::Debug + Send + Sync + 'static {
    /// Adds a device with its first refresh token. Devices of the user that have ended are removed, and the
    /// longest unseen one of more than [`DEVICES_MAX`](super::DEVICES_MAX).
    async fn add_device(&self, new: NewDevice) -> Stored<()>;
    /// Finds a user together with this device and a block; `None` when there is no such user.
    async fn standing(&self, user: UserId, device: Option<DeviceId>) -> Stored<Option<Standing>>;
    /// Uses up a refresh token, once however many try; whoever comes later ends the device.
    async fn rotate(&self, rotation: Rotation) -> Stored<Rotated>;
    /// Returns the devices of the user whose tokens are good at `at`, last seen first.
    async fn devices(&self, user: UserId, at: Timestamp) -> Stored<Vec<Device>>;
    /// Logs a device of this user out; `false` when there is none with this id.
    async fn remove_device(&self, user: UserId, id: DeviceId) -> Stored<bool>;
    /// Logs all devices of the user out; returns how many.
    async fn remove_devices(&self, user: UserId) -> Stored<u32>;

    /// Adds a ticket; one more than [`TICKETS_MAX`](super::TICKETS_MAX) unused ones is
    /// [`TooMany`](super::StorageError::TooMany).
    async fn add_ticket(&self, new: NewTicket) -> Stored<()>;
    /// Uses up a ticket that is good at `at`, once however many try.
    async fn take_ticket(&self, hash: &SecretHash, at: Timestamp) -> Stored<Option<Ticket>>;

    /// Keeps a user out, in the place of an earlier block.
    async fn block(&self, block: Block) -> Stored<()>;
    /// Lets a user in again; `false` when there was no block at `at`.
    async fn unblock(&self, user: UserId, at: Timestamp) -> Stored<bool>;
    /// Returns who is kept out at `at`, the latest first, at most [`BLOCKS_MAX`](super::BLOCKS_MAX).
    async fn blocks(&self, at: Timestamp) -> Stored<Vec<Block>>;

    /// Makes somebody an administrator, or no longer one. The last one stays.
    async fn set_admin(&self, user: UserId, is_admin: bool) -> Stored<RoleOutcome>;
    /// Returns the user's second factor.
    async fn second_factor(&self, user: UserId) -> Stored<Option<SecondFactor>>;
    /// Stores a second factor that is not confirmed yet; `false`, and nothing is stored, beside a confirmed one.
    async fn offer_factor(&self, factor: SecondFactor) -> Stored<bool>;
    /// Removes the user's second factor; `false` when there was none.
    async fn remove_factor(&self, user: UserId) -> Stored<bool>;
    /// Uses up a one-time password and notes on the device that it was given; `false` when this one or a later
    /// one was used before.
    async fn use_factor(&self, used: FactorUse) -> Stored<bool>;
    /// Notes that an administrator is still there.
    async fn touch_factor(&self, device: DeviceId, at: Timestamp) -> Stored<()>;

    /// Adds an API key; one more than [`API_KEYS_MAX`](super::API_KEYS_MAX) of a user is
    /// [`TooMany`](super::StorageError::TooMany).
    async fn add_api_key(&self, key: ApiKey, hash: SecretHash) -> Stored<()>;
    /// Finds an API key that is good at `at`.
    async fn api_key(&self, hash: &SecretHash, at: Timestamp) -> Stored<Option<ApiKey>>;
    /// Returns all API keys, the newest first, past ones included.
    async fn api_keys(&self) -> Stored<Vec<ApiKey>>;
    /// Removes an API key; `false` when there is none with this id.
    async fn remove_api_key(&self, id: ApiKeyId) -> Stored<bool>;

    /// Appends to the audit log, all or none, in this order.
    async fn append_audit(&self, entries: &[AuditEntry]) -> Stored<()>;
    /// Returns rows of the audit log, newest first, from before the position `before` or from the end, at most
    /// `limit`.
    async fn audit(&self, before: Option<u64>, limit: u32) -> Stored<Vec<AuditRow>>;
}
