//! Messages, in places without gaps.
//!
//! A message is stored, its session's row moved on and the message counted in its language by one text. This text is
//! written for each engine by itself: PostgreSQL chains the three by sub-queries that write, which SQLite does not know;
//! SQLite takes three statements with the same parameters at once, which PostgreSQL does not.

use jiff::Timestamp;
use sqlx::{
    Any,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use super::{
    Database, Tx,
    calls::Read as _,
    languages,
    row::{Columns, Word, micros, text},
};
use crate::{
    ids::{MessageId, SessionId},
    storage::{Message, MessageKind, NewMessage, Page, Place, Replaced, Replacing, Stored},
};

/// Whether the session `$2` of user `$3` has a place: it holds `$9` messages or more and fewer than `$10`, and is open
/// unless `$11` is 1.
macro_rules! has_place {
    () => {
        "id = $2 AND user_id = $3 AND messages >= $9 AND messages < $10 AND ($11 = 1 OR ended_at IS NULL)"
    };
}

/// The session's row when a message of the time `$7` is in it. On PostgreSQL this locks the row until all is done.
macro_rules! moved_on {
    () => {
        "UPDATE sessions SET messages = messages + 1, \
         active_at = CASE WHEN active_at < $7 THEN $7 ELSE active_at END WHERE "
    };
}

macro_rules! store_on_sqlite {
    () => {
        concat!(
            "INSERT INTO messages (id, session_id, user_id, position, kind, language, body, stored_at) \
             SELECT $1, id, user_id, messages + 1, $4, $5, $6, $7 FROM sessions WHERE ",
            has_place!(),
            " RETURNING position; ",
            moved_on!(),
            "id = $2 AND CHANGES() = 1; \
             INSERT INTO language_messages (language, slot, messages) SELECT $5, $8, 1 WHERE CHANGES() = 1 ",
            languages::count_on!()
        )
    };
}

const STORE_ON_SQLITE: &str = store_on_sqlite!();
const STORE_AT_ONCE_ON_SQLITE: &str = concat!("BEGIN IMMEDIATE; ", store_on_sqlite!(), "; COMMIT");
const STORE_ON_POSTGRES: &str = concat!(
    "WITH place AS (",
    moved_on!(),
    has_place!(),
    " RETURNING messages), \
     stored AS (INSERT INTO messages (id, session_id, user_id, position, kind, language, body, stored_at) \
        SELECT $1, $2, $3, messages, $4, $5, $6, $7 FROM place RETURNING position), \
     counted AS (INSERT INTO language_messages (language, slot, messages) SELECT $5, $8, 1 FROM place ",
    languages::count_on!(),
    ") SELECT position FROM stored"
);

pub(super) async fn append(db: &Database, new: NewMessage, place: Place) -> Stored<Option<Message>> {
    let text = db.engine.text([STORE_AT_ONCE_ON_SQLITE, STORE_ON_POSTGRES]);
    let new = as_stored(&new);
    let rows = db.at_once(store(text, &new, place)).await?;
    rows.first().map(|row| stored(new, row)).transpose()
}

pub(super) async fn replace(
    db: &Database,
    new: NewMessage,
    capacity: u32,
    old: Replaced,
) -> Stored<Replacing> {
    let text = db.engine.text([STORE_ON_SQLITE, STORE_ON_POSTGRES]);
    let new = as_stored(&new);
    let mut tx = db.write().await?;
    // All rows are asked for: of a text that is cut off after the first one the rest would not be done.
    let rows = store(text, &new, Place::Within(capacity)).fetch_all(&mut *tx).await?;
    let Some(row) = rows.first() else {
        tx.rollback().await?;
        return Ok(Replacing::NoRoom);
    };
    if !mark_replaced(&mut tx, &new, old).await? {
        tx.rollback().await?;
        return Ok(Replacing::NotThere);
    }
    tx.commit().await?;
    stored(new, row).map(Replacing::Stored)
}

fn store(sql: &'static str, new: &NewMessage, place: Place) -> Query<'static, Any, AnyArguments> {
    let (from, below) = match place {
        Place::Last => (0, i64::MAX),
        Place::Within(capacity) => (0, i64::from(capacity)),
        Place::At(position) => (i64::from(position) - 1, i64::from(position)),
    };
    sqlx::query(sql)
        .bind(new.id.to_string())
        .bind(new.session.to_string())
        .bind(new.user.to_string())
        .bind(new.kind.word())
        .bind(new.language.clone())
        .bind(new.text.clone())
        .bind(micros(new.at))
        .bind(languages::slot(new.user))
        .bind(from)
        .bind(below)
        .bind(i64::from(place == Place::Last))
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

pub(super) async fn context(
    db: &Database,
    session: SessionId,
    since: Timestamp,
    limit: u32,
) -> Stored<Vec<Message>> {
    const SELECT: &str = "SELECT * FROM messages WHERE session_id = $1 AND stored_at >= $2 \
        AND kind IN ($3, $4) AND replaced_by IS NULL ORDER BY position DESC LIMIT $5 + 0";
    let rows = sqlx::query(SELECT)
        .bind(session.to_string())
        .bind(micros(since))
        .bind(MessageKind::Said.word())
        .bind(MessageKind::Answer.word())
        .bind(i64::from(limit))
        .all(db)
        .await?;
    rows.iter().rev().map(message).collect()
}

pub(super) async fn page(db: &Database, page: Page) -> Stored<Vec<Message>> {
    const SELECT: &str = "SELECT * FROM messages WHERE session_id = $1 AND user_id = $2 AND position > $3 \
        ORDER BY position LIMIT $4 + 0";
    let rows = sqlx::query(SELECT)
        .bind(page.session.to_string())
        .bind(page.user.to_string())
        .bind(i64::from(page.after))
        .bind(i64::from(page.limit))
        .all(db)
        .await?;
    rows.iter().map(message).collect()
}

pub(super) async fn find(db: &Database, id: MessageId) -> Stored<Option<Message>> {
    let query = sqlx::query("SELECT * FROM messages WHERE id = $1").bind(id.to_string());
    query.first(db).await?.as_ref().map(message).transpose()
}

/// Returns the message as it would be read, so that it need not be read back.
fn as_stored(new: &NewMessage) -> NewMessage {
    let at = Timestamp::from_microsecond(micros(new.at)).unwrap_or(new.at);
    NewMessage { language: text(&new.language), text: text(&new.text), at, ..*new }
}

/// A message that was stored at the place that its row tells.
fn stored(new: NewMessage, row: &AnyRow) -> Stored<Message> {
    let position = Columns::new("messages", row).count("position")?;
    let NewMessage { id, session, user, kind, language, text, at } = new;
    Ok(Message {
        id,
        session,
        user,
        position,
        role: kind.role(),
        kind,
        language,
        text,
        at,
        replaced_by: None,
    })
}

fn message(row: &AnyRow) -> Stored<Message> {
    let row = Columns::new("messages", row);
    let kind: MessageKind = row.word("kind")?;
    Ok(Message {
        id: row.id("id")?,
        session: row.id("session_id")?,
        user: row.id("user_id")?,
        position: row.count("position")?,
        role: kind.role(),
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
