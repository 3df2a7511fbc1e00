//! Users.

use sqlx::any::AnyRow;

use super::{
    Database, Tx,
    calls::Read as _,
    row::{Columns, micros, text},
};
use crate::{
    ids::UserId,
    storage::{Credentials, NewUser, RoleOutcome, Stored, User},
};

pub(super) async fn create(db: &Database, new: NewUser) -> Stored<Option<User>> {
    const INSERT: &str = "INSERT INTO users \
        (id, email, password_hash, display_name, language, is_admin, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (email) DO NOTHING RETURNING *";
    let mut tx = db.write().await?;
    let row = sqlx::query(INSERT)
        .bind(new.user.id.to_string())
        .bind(text(&new.user.email))
        .bind(new.password_hash)
        .bind(text(&new.user.display_name))
        .bind(text(&new.user.language))
        .bind(i64::from(new.user.is_admin))
        .bind(micros(new.user.created_at))
        .fetch_optional(&mut *tx)
        .await?;
    tx.commit().await?;
    row.as_ref().map(user).transpose()
}

pub(super) async fn credentials(db: &Database, email: &str) -> Stored<Option<Credentials>> {
    let row = sqlx::query("SELECT * FROM users WHERE email = $1").bind(text(email)).first(db).await?;
    row.map(|row| {
        let password_hash = Columns::new("users", &row).text("password_hash")?;
        Ok(Credentials { user: user(&row)?, password_hash })
    })
    .transpose()
}

pub(super) async fn find(db: &Database, id: UserId) -> Stored<Option<User>> {
    let query = sqlx::query("SELECT * FROM users WHERE id = $1").bind(id.to_string());
    query.first(db).await?.as_ref().map(user).transpose()
}

pub(super) async fn set_admin(db: &Database, id: UserId, is_admin: bool) -> Stored<RoleOutcome> {
    // Whoever demotes waits for all others who do: the rows of all administrators are held.
    const HOLD: &str = "UPDATE users SET is_admin = is_admin WHERE is_admin = 1";
    const REST: &str = "SELECT COUNT(*) AS n FROM users WHERE is_admin = 1 AND id <> $1";
    const UPDATE: &str = "UPDATE users SET is_admin = $2 WHERE id = $1 RETURNING *";
    let mut tx = db.write().await?;
    let admins = sqlx::query(HOLD).execute(&mut *tx).await?.rows_affected();
    let row = sqlx::query(REST).bind(id.to_string()).fetch_one(&mut *tx).await?;
    let others = u64::from(Columns::new("users", &row).count("n")?);
    if !is_admin && others == 0 && admins > 0 {
        tx.rollback().await?;
        return Ok(RoleOutcome::LastAdmin);
    }
    let query = sqlx::query(UPDATE).bind(id.to_string()).bind(i64::from(is_admin));
    let row = query.fetch_optional(&mut *tx).await?;
    tx.commit().await?;
    row.as_ref().map(user).transpose().map(|user| user.map_or(RoleOutcome::Unknown, RoleOutcome::Changed))
}

/// Holds back every other transaction that holds this user, until the end of this one: what is counted
/// stays so.
pub(super) async fn hold(tx: &mut Tx, user: UserId) -> Stored<()> {
    let query = sqlx::query("UPDATE users SET display_name = display_name WHERE id = $1");
    query.bind(user.to_string()).execute(&mut **tx).await?;
    Ok(())
}

pub(super) fn user(row: &AnyRow) -> Stored<User> {
    let row = Columns::new("users", row);
    Ok(User {
        id: row.id("id")?,
        email: row.text("email")?,
        display_name: row.text("display_name")?,
        language: row.text("language")?,
        is_admin: row.flag("is_admin")?,
        created_at: row.time("created_at")?,
    })
}
