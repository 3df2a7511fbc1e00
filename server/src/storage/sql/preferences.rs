//! What users choose about their calendar: a row per user, and the defaults where there is none.

use sqlx::any::AnyRow;

use super::{
    Database, Tx,
    calls::Read as _,
    row::{Columns, micros},
    users,
};
use crate::{
    ids::UserId,
    storage::{Choices, Preferences, PreferencesOutcome, PreferencesWrite, QuietHours, Stored},
};

const SELECT: &str = "SELECT * FROM preferences WHERE user_id = $1";

pub(super) async fn read(db: &Database, user: UserId) -> Stored<Preferences> {
    let row = sqlx::query(SELECT).bind(user.to_string()).first(db).await?;
    Ok(row.as_ref().map(preferences).transpose()?.unwrap_or_default())
}

pub(super) async fn write(db: &Database, write: PreferencesWrite) -> Stored<PreferencesOutcome> {
    let mut tx = db.write().await?;
    users::hold(&mut tx, write.user).await?;
    let row = sqlx::query(SELECT).bind(write.user.to_string()).fetch_optional(&mut *tx).await?;
    let stored = row.as_ref().map(preferences).transpose()?.unwrap_or_default();
    if write.expected.is_some_and(|expected| expected != stored.version) {
        tx.rollback().await?;
        return Ok(PreferencesOutcome::Stale(stored));
    }
    let written = put(&mut tx, &write, stored.version + 1).await?;
    tx.commit().await?;
    Ok(PreferencesOutcome::Written(written))
}

async fn put(tx: &mut Tx, write: &PreferencesWrite, version: i64) -> Stored<Preferences> {
    const UPSERT: &str = "INSERT INTO preferences \
        (user_id, version, time_zone, default_time, auto_create_low_priority, require_confirm_for_urgent, \
        smart_scheduling, quiet_from, quiet_to, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
        ON CONFLICT (user_id) DO UPDATE SET version = $2, time_zone = $3, default_time = $4, \
        auto_create_low_priority = $5, require_confirm_for_urgent = $6, smart_scheduling = $7, \
        quiet_from = $8, quiet_to = $9, updated_at = $10 RETURNING *";
    let choices = &write.choices;
    let query = sqlx::query(UPSERT)
        .bind(write.user.to_string())
        .bind(version)
        .bind(choices.time_zone.to_string())
        .bind(choices.default_time.to_string())
        .bind(i64::from(choices.auto_create_low_priority))
        .bind(i64::from(choices.require_confirm_for_urgent))
        .bind(i64::from(choices.smart_scheduling))
        .bind(choices.quiet.map(|quiet| quiet.from.to_string()))
        .bind(choices.quiet.map(|quiet| quiet.to.to_string()))
        .bind(micros(write.at));
    preferences(&query.fetch_one(&mut **tx).await?)
}

fn preferences(row: &AnyRow) -> Stored<Preferences> {
    let row = Columns::new("preferences", row);
    let quiet = row.maybe_parsed("quiet_from")?.zip(row.maybe_parsed("quiet_to")?);
    let choices = Choices {
        time_zone: row.parsed("time_zone")?,
        default_time: row.parsed("default_time")?,
        auto_create_low_priority: row.flag("auto_create_low_priority")?,
        require_confirm_for_urgent: row.flag("require_confirm_for_urgent")?,
        smart_scheduling: row.flag("smart_scheduling")?,
        quiet: quiet.map(|(from, to)| QuietHours { from, to }),
    };
    Ok(Preferences { version: row.get("version")?, choices })
}
