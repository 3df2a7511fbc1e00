//! Second factors.

use jiff::Timestamp;

use super::{
    Database,
    calls::Read as _,
    row::{Columns, micros, text},
};
use crate::{
    ids::{DeviceId, UserId},
    storage::{FactorUse, SecondFactor, Stored},
};

pub(super) async fn find(db: &Database, user: UserId) -> Stored<Option<SecondFactor>> {
    let query = sqlx::query("SELECT * FROM second_factors WHERE user_id = $1").bind(user.to_string());
    let row = query.first(db).await?;
    row.map(|row| {
        let row = Columns::new("second_factors", &row);
        let (secret, confirmed_at) = (row.text("secret")?, row.maybe_time("confirmed_at")?);
        Ok(SecondFactor { user: row.id("user_id")?, secret, confirmed_at })
    })
    .transpose()
}

pub(super) async fn offer(db: &Database, factor: SecondFactor) -> Stored<bool> {
    const UPSERT: &str = "INSERT INTO second_factors (user_id, secret, step) VALUES ($1, $2, 0) \
        ON CONFLICT (user_id) DO UPDATE SET secret = $2, step = 0 WHERE second_factors.confirmed_at IS NULL";
    let mut tx = db.write().await?;
    let query = sqlx::query(UPSERT).bind(factor.user.to_string()).bind(text(&factor.secret));
    let done = query.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn remove(db: &Database, user: UserId) -> Stored<bool> {
    let mut tx = db.write().await?;
    let query = sqlx::query("DELETE FROM second_factors WHERE user_id = $1").bind(user.to_string());
    let done = query.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn spend(db: &Database, used: FactorUse) -> Stored<bool> {
    const SPEND: &str = "UPDATE second_factors SET step = $2, confirmed_at = COALESCE(confirmed_at, $3) \
        WHERE user_id = $1 AND step < $2";
    const NOTE: &str = "UPDATE devices SET factor_at = $3 WHERE id = $1 AND user_id = $2";
    let mut tx = db.write().await?;
    let query = sqlx::query(SPEND).bind(used.user.to_string()).bind(used.step).bind(micros(used.at));
    if query.execute(&mut *tx).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let query = sqlx::query(NOTE).bind(used.device.to_string()).bind(used.user.to_string());
    query.bind(micros(used.at)).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(true)
}

pub(super) async fn touch(db: &Database, device: DeviceId, at: Timestamp) -> Stored<()> {
    const UPDATE: &str = "UPDATE devices SET factor_at = $2 WHERE id = $1 AND factor_at < $2";
    let mut tx = db.write().await?;
    sqlx::query(UPDATE).bind(device.to_string()).bind(micros(at)).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}
