//! Tickets for sockets.

use jiff::Timestamp;

use super::{
    Database,
    row::{Columns, micros},
    users,
};
use crate::storage::{NewTicket, SecretHash, StorageError, Stored, TICKETS_MAX, Ticket};

pub(super) async fn add(db: &Database, new: NewTicket) -> Stored<()> {
    const PAST: &str = "DELETE FROM tickets WHERE user_id = $1 AND expires_at <= $2";
    const COUNT: &str = "SELECT COUNT(*) AS n FROM tickets WHERE user_id = $1";
    const INSERT: &str = "INSERT INTO tickets (hash, user_id, device_id, token_expires_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5)";
    let mut tx = db.write().await?;
    let user = new.ticket.user.to_string();
    users::hold(&mut tx, new.ticket.user).await?;
    sqlx::query(PAST).bind(user.as_str()).bind(micros(new.at)).execute(&mut *tx).await?;
    let row = sqlx::query(COUNT).bind(user.as_str()).fetch_one(&mut *tx).await?;
    if Columns::new("tickets", &row).count("n")? >= TICKETS_MAX {
        return Err(StorageError::TooMany { what: "unused tickets", most: TICKETS_MAX });
    }
    sqlx::query(INSERT)
        .bind(new.hash.0.as_str())
        .bind(user.as_str())
        .bind(new.ticket.device.map(|device| device.to_string()))
        .bind(micros(new.ticket.token_expires_at))
        .bind(micros(new.expires_at))
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

pub(super) async fn take(db: &Database, hash: &SecretHash, at: Timestamp) -> Stored<Option<Ticket>> {
    let mut tx = db.write().await?;
    let query = sqlx::query("DELETE FROM tickets WHERE hash = $1 AND expires_at > $2 RETURNING *");
    let row = query.bind(hash.0.as_str()).bind(micros(at)).fetch_optional(&mut *tx).await?;
    tx.commit().await?;
    row.map(|row| {
        let row = Columns::new("tickets", &row);
        Ok(Ticket {
            user: row.id("user_id")?,
            device: row.maybe_id("device_id")?,
            token_expires_at: row.time("token_expires_at")?,
        })
    })
    .transpose()
}
