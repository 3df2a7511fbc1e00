//! The audit log: rows are added, and nothing here changes or removes one.
//!
//! Every row goes through [`append`]; a chain of hashes over the rows would be made there.

use sqlx::any::AnyRow;

use super::{
    Database, Tx,
    calls::Read as _,
    row::{Columns, micros, text},
};
use crate::{
    ids::UserId,
    storage::{Actor, AuditEntry, AuditRow, StorageError, Stored},
};

const USER: &str = "user";
const ADMIN: &str = "admin";
const API_KEY: &str = "api_key";
const NOBODY: &str = "nobody";
const SERVER: &str = "server";
const POLICY: &str = "policy";
const OPERATOR: &str = "operator";

pub(super) async fn append(db: &Database, entries: &[AuditEntry]) -> Stored<()> {
    const HEAD: &str =
        "UPDATE audit_head SET position = position + $1 WHERE id = 1 RETURNING position - $1 AS position";
    let mut tx = db.write().await?;
    // Others wait here until these rows are there: positions have no gaps, and their order is that of the commits.
    let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    let head = sqlx::query(HEAD).bind(count).fetch_one(&mut *tx).await?;
    let last: i64 = Columns::new("audit_head", &head).get("position")?;
    for (position, entry) in (last + 1..).zip(entries) {
        insert(&mut tx, position, entry).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn insert(tx: &mut Tx, position: i64, entry: &AuditEntry) -> Stored<()> {
    const INSERT: &str = "INSERT INTO audit \
        (position, at, actor_kind, actor_id, subject_id, action, target, outcome, address) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let (kind, actor) = parted(entry.actor);
    sqlx::query(INSERT)
        .bind(position)
        .bind(micros(entry.at))
        .bind(kind)
        .bind(actor.map(|user| user.to_string()))
        .bind(entry.subject.map(|user| user.to_string()))
        .bind(text(&entry.action))
        .bind(text(&entry.target))
        .bind(text(&entry.outcome))
        .bind(text(&entry.address))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

pub(super) async fn page(db: &Database, before: Option<u64>, limit: u32) -> Stored<Vec<AuditRow>> {
    const SELECT: &str = "SELECT * FROM audit WHERE position < $1 ORDER BY position DESC LIMIT $2 + 0";
    let before = before.and_then(|position| i64::try_from(position).ok()).unwrap_or(i64::MAX);
    let query = sqlx::query(SELECT).bind(before).bind(i64::from(limit));
    query.all(db).await?.iter().map(row).collect()
}

const fn parted(actor: Actor) -> (&'static str, Option<UserId>) {
    match actor {
        Actor::Nobody => (NOBODY, None),
        Actor::User(user) => (USER, Some(user)),
        Actor::Admin(user) => (ADMIN, Some(user)),
        Actor::ApiKey(user) => (API_KEY, Some(user)),
        Actor::Server => (SERVER, None),
        Actor::Policy => (POLICY, None),
        Actor::Operator => (OPERATOR, None),
    }
}

fn row(row: &AnyRow) -> Stored<AuditRow> {
    let position: i64 = Columns::new("audit", row).get("position")?;
    Ok(AuditRow { position: position.unsigned_abs(), entry: entry(row)? })
}

fn entry(row: &AnyRow) -> Stored<AuditEntry> {
    let row = Columns::new("audit", row);
    let (kind, user) = (row.text("actor_kind")?, row.maybe_id("actor_id")?);
    let actor = match (kind.as_str(), user) {
        (NOBODY, None) => Actor::Nobody,
        (USER, Some(user)) => Actor::User(user),
        (ADMIN, Some(user)) => Actor::Admin(user),
        (API_KEY, Some(user)) => Actor::ApiKey(user),
        (SERVER, None) => Actor::Server,
        (POLICY, None) => Actor::Policy,
        (OPERATOR, None) => Actor::Operator,
        _ => {
            let problem = format!("`{kind}` in column `actor_kind`, expected a known word");
            return Err(StorageError::Corrupt { table: "audit", problem });
        }
    };
    Ok(AuditEntry {
        at: row.time("at")?,
        actor,
        subject: row.maybe_id("subject_id")?,
        action: row.text("action")?,
        target: row.text("target")?,
        outcome: row.text("outcome")?,
        address: row.text("address")?,
    })
}
