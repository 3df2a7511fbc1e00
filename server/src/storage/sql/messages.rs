//! Messages, in places without gaps.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{
    Database, Tx, languages,
    row::{Columns, Word, micros, text},
};
use crate::{
    ids::{MessageId, SessionId},
    storage::{Message, MessageKind, NewMessage, Page, Replaced, Replacing, Role, Stored},
};

pub(super) async fn append(db: &Database, new: NewMessage, capacity: Option<u32>) -> Stored<Option<Message>> {
    let mut tx = db.write().await?;
    let Some(position) = take_place(&mut tx, &new, capacity).await? else {
        tx.rollback().await?;
        return Ok(None);
    };
    let stored = insert(&mut tx, &new, position).await?;
    tx.commit().await?;
    Ok(Some(stored))
}

pub(super) async fn replace(
    db: &Database,
    new: NewMessage,
    capacity: u32,
    old: Replaced,
) -> Stored<Replacing> {
    let mut tx = db.write().await?;
    let Some(position) = take_place(&mut tx, &new, Some(capacity)).await? else {
        tx.rollback().await?;
        return Ok(Replacing::NoRoom);
    };
    if !mark_replaced(&mut tx, &new, old).await? {
        tx.rollback().await?;
        return Ok(Replacing::NotThere);
    }
    let stored = insert(&mut tx, &new, position).await?;
    tx.commit().await?;
    Ok(Replacing::Stored(stored))
}

/// Marks a question and its reply; `false` where the question is not to be asked again.
async fn mark_replaced(tx: &mut Tx, new: &NewMessage, old: Replaced) -> Stored<bool> {
    const QUESTION: &str = "UPDATE messages SET replaced_by = $1 \
        WHERE id = $2 AND user_id = $3 AND kind = $4 AND replaced_by IS NULL \
        AND NOT EXISTS (SELECT 1 FROM messages AS reply WHERE reply.id = $5 AND reply.kind = $6)";
    const REPLY: &str = "UPDATE messages SET replaced_by = $1 WHERE id = $2 AND user_id = $3";
    let question = sqlx::query(QUESTION)
        .bind(new.id.to_string())
        .bind(old.question.to_string())
        .bind(new.user.to_string())
        .bind(MessageKind::Said.word())
        .bind(old.reply.to_string())
        .bind(MessageKind::Answer.word());
    if question.execute(&mut **tx).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let reply = sqlx::query(REPLY).bind(new.id.to_string()).bind(old.reply.to_string());
    reply.bind(new.user.to_string()).execute(&mut **tx).await?;
    Ok(true)
}

async fn insert(tx: &mut Tx, new: &NewMessage, position: i64) -> Stored<Message> {
    const INSERT: &str = "INSERT INTO messages \
        (id, session_id, user_id, position, kind, language, body, stored_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *";
    let row = sqlx::query(INSERT)
        .bind(new.id.to_string())
        .bind(new.session.to_string())
        .bind(new.user.to_string())
        .bind(position)
        .bind(new.kind.word())
        .bind(text(&new.language))
        .bind(text(&new.text))
        .bind(micros(new.at))
        .fetch_one(&mut **tx)
        .await?;
    languages::count_message(tx, &new.language, new.user).await?;
    message(&row)
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
        AND kind IN ($3, $4) AND replaced_by IS NULL ORDER BY position DESC LIMIT $5";
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
        replaced_by: row.maybe_id("replaced_by")?,
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
