//! Devices and their refresh tokens.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{
    Database, Tx,
    calls::Read as _,
    row::{Columns, micros, text},
    users,
};
use crate::{
    ids::{DeviceId, UserId},
    storage::{DEVICES_MAX, Device, NewDevice, Rotated, Rotation, SecretHash, Standing, Stored},
};

/// Used tokens of a device that are remembered, so that whoever brings one again is caught; the oldest go first.
const TOKENS_MAX: i64 = 1000;

pub(super) async fn add(db: &Database, new: NewDevice) -> Stored<()> {
    const INSERT: &str = "INSERT INTO devices (id, user_id, name, created_at, seen_at, expires_at, factor_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let mut tx = db.write().await?;
    let device = &new.device;
    users::hold(&mut tx, device.user).await?;
    make_room(&mut tx, device.user, device.created_at).await?;
    sqlx::query(INSERT)
        .bind(device.id.to_string())
        .bind(device.user.to_string())
        .bind(text(&device.name))
        .bind(micros(device.created_at))
        .bind(micros(device.seen_at))
        .bind(micros(device.expires_at))
        .bind(device.factor_at.map(micros))
        .execute(&mut *tx)
        .await?;
    add_token(&mut tx, device.id, (&new.token, new.token_expires_at)).await?;
    tx.commit().await?;
    Ok(())
}

/// Removes what has ended, and the longest unseen ones of too many.
async fn make_room(tx: &mut Tx, user: UserId, at: Timestamp) -> Stored<()> {
    const PAST: &str = "DELETE FROM devices WHERE user_id = $1 AND expires_at <= $2";
    const OLDEST: &str = "DELETE FROM devices WHERE user_id = $1 AND id NOT IN \
        (SELECT id FROM devices WHERE user_id = $1 ORDER BY seen_at DESC, id LIMIT $2 + 0)";
    sqlx::query(PAST).bind(user.to_string()).bind(micros(at)).execute(&mut **tx).await?;
    let most = i64::from(DEVICES_MAX) - 1;
    sqlx::query(OLDEST).bind(user.to_string()).bind(most).execute(&mut **tx).await?;
    Ok(())
}

async fn add_token(
    tx: &mut Tx,
    device: DeviceId,
    (hash, expires_at): (&SecretHash, Timestamp),
) -> Stored<()> {
    const INSERT: &str = "INSERT INTO refresh_tokens (hash, device_id, expires_at) VALUES ($1, $2, $3)";
    let query = sqlx::query(INSERT).bind(hash.0.as_str()).bind(device.to_string()).bind(micros(expires_at));
    query.execute(&mut **tx).await?;
    Ok(())
}

pub(super) async fn standing(
    db: &Database,
    user: UserId,
    device: Option<DeviceId>,
) -> Stored<Option<Standing>> {
    // Every request asks this, so that it is one question.
    const SELECT: &str = "SELECT users.*, blocks.until AS blocked_until, devices.id AS device_id, \
        devices.name AS device_name, devices.created_at AS logged_in_at, devices.seen_at, \
        devices.expires_at, devices.factor_at FROM users LEFT JOIN blocks ON blocks.user_id = users.id \
        LEFT JOIN devices ON devices.user_id = users.id AND devices.id = $2 WHERE users.id = $1";
    let query = sqlx::query(SELECT).bind(user.to_string()).bind(device.map(|device| device.to_string()));
    let Some(row) = query.first(db).await? else { return Ok(None) };
    let blocked_until = Columns::new("blocks", &row).maybe_time("blocked_until")?;
    let device = logged_in(user, &Columns::new("devices", &row))?;
    Ok(Some(Standing { user: users::user(&row)?, device, blocked_until }))
}

/// Reads the device beside a user, if there is one.
fn logged_in(user: UserId, row: &Columns<'_>) -> Stored<Option<Device>> {
    let Some(id) = row.maybe_id("device_id")? else { return Ok(None) };
    Ok(Some(Device {
        id,
        user,
        name: row.text("device_name")?,
        created_at: row.time("logged_in_at")?,
        seen_at: row.time("seen_at")?,
        expires_at: row.time("expires_at")?,
        factor_at: row.maybe_time("factor_at")?,
    }))
}

pub(super) async fn rotate(db: &Database, rotation: Rotation) -> Stored<Rotated> {
    let mut tx = db.write().await?;
    let outcome = turn(&mut tx, &rotation).await?;
    tx.commit().await?;
    Ok(outcome)
}

async fn turn(tx: &mut Tx, rotation: &Rotation) -> Stored<Rotated> {
    const FIND: &str = "SELECT devices.*, refresh_tokens.expires_at AS token_expires_at FROM refresh_tokens \
        JOIN devices ON devices.id = refresh_tokens.device_id WHERE hash = $1";
    const USE: &str = "UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL";
    let found = sqlx::query(FIND).bind(rotation.used.0.as_str()).fetch_optional(&mut **tx).await?;
    let Some(row) = found else { return Ok(Rotated::Unknown) };
    let device = device(&row)?;
    // Whoever logs out meanwhile takes device and tokens the other way round.
    users::hold(tx, device.user).await?;
    if Columns::new("refresh_tokens", &row).time("token_expires_at")? <= rotation.at {
        return Ok(Rotated::Expired);
    }
    let used = sqlx::query(USE).bind(rotation.used.0.as_str()).bind(micros(rotation.at));
    if used.execute(&mut **tx).await?.rows_affected() == 0 {
        // Whoever logged out meanwhile has taken the token along, and nobody has stolen it.
        let is_there = delete(tx, device.user, device.id).await?;
        return Ok(if is_there { Rotated::Reused(device.user, device.id) } else { Rotated::Unknown });
    }
    renew(tx, device, rotation).await
}

/// Gives the device its next token, unless it was logged out meanwhile.
async fn renew(tx: &mut Tx, device: Device, rotation: &Rotation) -> Stored<Rotated> {
    const UPDATE: &str = "UPDATE devices SET seen_at = $2, expires_at = $3 WHERE id = $1";
    const FORGET: &str = "DELETE FROM refresh_tokens WHERE device_id = $1 AND expires_at <= $2";
    const OLDEST: &str = "DELETE FROM refresh_tokens WHERE device_id = $1 AND hash NOT IN \
        (SELECT hash FROM refresh_tokens WHERE device_id = $1 ORDER BY expires_at DESC, hash LIMIT $2 + 0)";
    let (seen_at, expires_at) = (rotation.at, rotation.expires_at);
    let query =
        sqlx::query(UPDATE).bind(device.id.to_string()).bind(micros(seen_at)).bind(micros(expires_at));
    if query.execute(&mut **tx).await?.rows_affected() == 0 {
        return Ok(Rotated::Unknown);
    }
    sqlx::query(FORGET).bind(device.id.to_string()).bind(micros(rotation.at)).execute(&mut **tx).await?;
    let most = sqlx::query(OLDEST).bind(device.id.to_string()).bind(TOKENS_MAX - 1);
    most.execute(&mut **tx).await?;
    add_token(tx, device.id, (&rotation.next, rotation.token_expires_at)).await?;
    let query = sqlx::query("SELECT * FROM users WHERE id = $1").bind(device.user.to_string());
    let user = users::user(&query.fetch_one(&mut **tx).await?)?;
    Ok(Rotated::Next(Box::new(Device { seen_at, expires_at, ..device }), user))
}

pub(super) async fn list(db: &Database, user: UserId, at: Timestamp) -> Stored<Vec<Device>> {
    const SELECT: &str = "SELECT * FROM devices WHERE user_id = $1 AND expires_at > $2 \
        ORDER BY seen_at DESC, created_at DESC, id";
    let query = sqlx::query(SELECT).bind(user.to_string()).bind(micros(at));
    query.all(db).await?.iter().map(device).collect()
}

pub(super) async fn remove(db: &Database, user: UserId, id: DeviceId) -> Stored<bool> {
    let mut tx = db.write().await?;
    users::hold(&mut tx, user).await?;
    let removed = delete(&mut tx, user, id).await?;
    tx.commit().await?;
    Ok(removed)
}

async fn delete(tx: &mut Tx, user: UserId, id: DeviceId) -> Stored<bool> {
    let query = sqlx::query("DELETE FROM devices WHERE id = $1 AND user_id = $2");
    let done = query.bind(id.to_string()).bind(user.to_string()).execute(&mut **tx).await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn remove_all(db: &Database, user: UserId) -> Stored<u32> {
    let mut tx = db.write().await?;
    users::hold(&mut tx, user).await?;
    let query = sqlx::query("DELETE FROM devices WHERE user_id = $1").bind(user.to_string());
    let removed = query.execute(&mut *tx).await?.rows_affected();
    tx.commit().await?;
    Ok(u32::try_from(removed).unwrap_or(u32::MAX))
}

fn device(row: &AnyRow) -> Stored<Device> {
    let row = Columns::new("devices", row);
    Ok(Device {
        id: row.id("id")?,
        user: row.id("user_id")?,
        name: row.text("name")?,
        created_at: row.time("created_at")?,
        seen_at: row.time("seen_at")?,
        expires_at: row.time("expires_at")?,
        factor_at: row.maybe_time("factor_at")?,
    })
}
