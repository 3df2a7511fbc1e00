//! Messages, in places without gaps.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{
    Database, Tx, languages,
    row::{Columns, Word, micros, text},
};
use crate::{
    ids::{MessageId, SessionId},
    storage::{Message, MessageKind, NewMessage, Page, Role, Stored},
};

pub(super) async fn append(db: &Database, new: NewMessage, capacity: Option<u32>) -> Stored<Option<Message>> {
    const INSERT: &str = "INSERT INTO messages \
        (id, session_id, user_id, position, kind, language, body, stored_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *";
    let mut tx = db.write().await?;
    let Some(position) = take_place(&mut tx, &new, capacity).await? else {
        tx.rollback().await?;
        return Ok(None);
    };
    let row = sqlx::query(INSERT)
        .bind(new.id.to_string())
        .bind(new.session.to_string())
        .bind(new.user.to_string())
        .bind(position)
        .bind(new.kind.word())
        .bind(text(&new.language))
        .bind(text(&new.text))
        .bind(micros(new.at))
        .fetch_one(&mut *tx)
        .await?;
    languages::count_message(&mut tx, &new.language, new.user).await?;
    tx.commit().await?;
    message(&row).map(Some)
}

/// Counts the message in its session's row, which locks it until the end of the transaction.
async fn take_place(tx: &mut Tx, new: &NewMessage, capacity: Option<u32>) -> Stored<Option<i64>> {
    const UPDATE: &str = "UPDATE sessions SET messages = messages + 1, \
        active_at = CASE WHEN active_at < $3 THEN $3 ELSE active_at END \
        WHERE id = $1 AND user_id = $2 AND messages < $4 AND ($5 = 1 OR ended_at IS NULL) \
        RETURNING messages";
    let row = sqlx::query(UPDATE)
        .bind(new.session.to_string())
        .bind(new.user.to_string())
        .bind(micros(new.at))
        .bind(capacity.map_or(i64::MAX, i64::from))
        .bind(i64::from(capacity.is_none()))
        .fetch_optional(&mut **tx)
        .await?;
    row.map(|row| Columns::new("sessions", &row).get("messages")).transpose()
}

pub(super) async fn context(
    db: &Database,
    session: SessionId,
    since: Timestamp,
    limit: u32,
) -> Stored<Vec<Message>> {
    const SELECT: &str = "SELECT * FROM messages WHERE session_id = $1 AND stored_at >= $2 \
        AND kind IN ($3, $4) ORDER BY position DESC LIMIT $5";
    let rows = sqlx::query(SELECT)
        .bind(session.to_string())
        .bind(micros(since))
        .bind(MessageKind::Said.word())
        .bind(MessageKind::Answer.word())
        .bind(i64::from(limit))
        .fetch_all(&db.readers)
        .await?;
    rows.iter().rev().map(message).collect()
}

pub(super) async fn page(db: &Database, page: Page) -> Stored<Vec<Message>> {
    const SELECT: &str = "SELECT * FROM messages WHERE session_id = $1 AND user_id = $2 AND position > $3 \
        ORDER BY position LIMIT $4";
    let rows = sqlx::query(SELECT)
        .bind(page.session.to_string())
        .bind(page.user.to_string())
        .bind(i64::from(page.after))
        .bind(i64::from(page.limit))
        .fetch_all(&db.readers)
        .await?;
    rows.iter().map(message).collect()
}

pub(super) async fn find(db: &Database, id: MessageId) -> Stored<Option<Message>> {
    let query = sqlx::query("SELECT * FROM messages WHERE id = $1").bind(id.to_string());
    query.fetch_optional(&db.readers).await?.as_ref().map(message).transpose()
}

fn message(row: &AnyRow) -> Stored<Message> {
    let row = Columns::new("messages", row);
    let kind = row.word("kind")?;
    Ok(Message {
        id: row.id("id")?,
        session: row.id("session_id")?,
        user: row.id("user_id")?,
        position: row.count("position")?,
        role: if kind == MessageKind::Said { Role::User } else { Role::Assistant },
        kind,
        language: row.text("language")?,
        text: row.text("body")?,
        at: row.time("stored_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_query_names_every_kind_that_is_context() {
        let named = [MessageKind::Said, MessageKind::Answer];

        for (kind, word) in MessageKind::WORDS {
            assert_eq!(kind.is_context(), named.contains(kind), "{word}");
        }
    }
}
