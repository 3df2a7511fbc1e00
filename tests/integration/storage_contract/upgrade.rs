//! Databases of other servers: older, newer, and made by other migrations under the same numbers.

use std::{fs, path::Path};

use server::{
    ids::{ReminderId, SessionId, SuggestionId, UserId},
    storage::{
        Database, Expected, FactOutcome, LanguageStore as _, MessageKind, OpenError, Page, Storage as _,
    },
};
use sqlx::{
    AnyConnection, AssertSqlSafe, Connection as _, SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

use super::{CONNECTIONS, at, fact};
use crate::support::postgres::Fresh;

/// Tells a story of an empty database on both engines; it gets the URL.
async fn on_each(story: impl AsyncFn(&str)) {
    sqlx::any::install_default_drivers();
    let folder = tempfile::tempdir().unwrap();
    story(&format!("sqlite:{}/chat.db", folder.path().display())).await;
    if let Some(fresh) = Fresh::database().await {
        story(&fresh.url).await;
        fresh.drop_database().await;
    }
}

/// Returns the migrations of the source in order: number and text.
fn migrations() -> Vec<(i64, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("server/migrations");
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let number = |path: &Path| path.file_name().unwrap().to_str().unwrap()[..4].parse().unwrap();
    let mut all: Vec<_> = files.map(|path| (number(&path), fs::read_to_string(path).unwrap())).collect();
    all.sort_unstable();
    all
}

async fn connect(url: &str) -> AnyConnection {
    let create = if url.starts_with("sqlite:") { "?mode=rwc" } else { "" };
    AnyConnection::connect(&format!("{url}{create}")).await.unwrap()
}

/// Makes the tables as a server with these migrations does, and runs a script over them.
async fn made_by(url: &str, migrations: &[(i64, String)], script: &str) {
    let migration = |(number, text): &(i64, String)| {
        let text = AssertSqlSafe(text.clone()).into_sql_str();
        Migration::new(*number, "".into(), MigrationType::Simple, text, false)
    };
    let mut connection = connect(url).await;
    Migrator::with_migrations(migrations.iter().map(migration).collect()).run(&mut connection).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_migration_that_is_written_is_run_f153() {
    on_each(async |url| {
        Database::open(url, CONNECTIONS).await.unwrap().close().await;

        let mut connection = connect(url).await;
        let run: Vec<(i64,)> = sqlx::query_as("SELECT version FROM _sqlx_migrations ORDER BY version")
            .fetch_all(&mut connection)
            .await
            .unwrap();

        assert!(run.into_iter().eq(migrations().into_iter().map(|(number, _)| (number,))));
        connection.close().await.unwrap();
    })
    .await;
}

/// What a user of the first version has: a talk, a fact with a history, a proposal, a reminder.
const ROWS: &str = "
INSERT INTO languages VALUES ('de', 'German', 'Deutsch', 0, 1);
INSERT INTO users VALUES ('USER', 'ana@a.org', '$argon2id$', 'Ana', 'es', 1, BEGAN);
INSERT INTO sessions VALUES ('SESSION', 'USER', 1, 'first', BEGAN, BEGAN, NULL, 2);
INSERT INTO messages VALUES ('00000000-0000-4000-8000-000000000001', 'SESSION', 'USER', 1, 'said', 'es', 'hola', BEGAN);
INSERT INTO messages VALUES ('00000000-0000-4000-8000-000000000002', 'SESSION', 'USER', 2, 'answer', 'es', 'sí', BEGAN);
INSERT INTO facts VALUES ('USER', 'diet', 'vegan', 0.8, 'extracted', 2, BEGAN, NULL);
INSERT INTO fact_revisions VALUES ('USER', 'diet', 1, 'none', 0.8, 'extracted', BEGAN);
INSERT INTO fact_revisions VALUES ('USER', 'diet', 2, 'vegan', 0.8, 'extracted', BEGAN);
INSERT INTO suggestions VALUES ('PROPOSAL', 'USER', 'appointment', 'high', 'Scan', '', BEGAN, BEGAN, BEGAN + 300000000, NULL, NULL, NULL);
INSERT INTO reminders VALUES ('REMINDER', 'USER', 'Midwife', 'Papers', BEGAN, 60, 0, NULL, BEGAN, BEGAN);
";

/// A user of the first version.
struct Old {
    user: UserId,
    session: SessionId,
    proposal: SuggestionId,
    reminder: ReminderId,
}

impl Old {
    fn new() -> Self {
        let (user, session) = (UserId::random(), SessionId::random());
        Self { user, session, proposal: SuggestionId::random(), reminder: ReminderId::random() }
    }

    fn rows(&self) -> String {
        ROWS.replace("USER", &self.user.to_string())
            .replace("SESSION", &self.session.to_string())
            .replace("PROPOSAL", &self.proposal.to_string())
            .replace("REMINDER", &self.reminder.to_string())
            .replace("BEGAN", &at(0).as_microsecond().to_string())
    }

    /// Reads through the server what there is, and changes some of it.
    async fn goes_on(&self, db: &Database) {
        let known = db.credentials("ana@a.org").await.unwrap().unwrap();
        assert_eq!((known.user.id, known.password_hash.as_str()), (self.user, "$argon2id$"));
        assert!(known.user.is_admin && known.user.language == "es");
        let page = Page { session: self.session, user: self.user, after: 0, limit: 10 };
        let said = db.messages(page).await.unwrap();
        let said: Vec<_> = said.iter().map(|message| (message.kind, message.text.as_str())).collect();
        assert_eq!(said, [(MessageKind::Said, "hola"), (MessageKind::Answer, "sí")]);
        assert_eq!(db.open_session(self.user).await.unwrap().unwrap().messages, 2);
        let history = db.fact_history(self.user, "diet").await.unwrap();
        assert_eq!(history.iter().map(|past| past.value.as_str()).collect::<Vec<_>>(), ["none", "vegan"]);
        let written = db.write_fact(fact(self.user, "vegetarian", Expected::Version(2))).await.unwrap();
        assert!(matches!(written, FactOutcome::Written(_)), "{written:?}");
        let pending = db.pending_suggestions(self.user, at(1)).await.unwrap();
        assert_eq!(pending.iter().map(|proposal| proposal.id).collect::<Vec<_>>(), [self.proposal]);
        let reminders = db.reminders(self.user).await.unwrap();
        assert_eq!((reminders.len(), reminders[0].id, reminders[0].time), (1, self.reminder, at(0)));
        let languages = db.languages().await.unwrap();
        let german = languages.iter().find(|language| language.code == "de").unwrap();
        assert!(!german.is_enabled && german.is_experimental, "{german:?}");
        assert!(db.language_use().await.unwrap().iter().any(|used| used.code == "es" && used.messages == 2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_old_server_has_kept_is_there_after_an_upgrade_f153() {
    on_each(async |url| {
        let old = Old::new();
        made_by(url, &migrations()[..1], &old.rows()).await;

        let db = Database::open(url, CONNECTIONS).await.unwrap();

        old.goes_on(&db).await;
        db.close().await;
    })
    .await;
}

/// What a server of some later time adds, in a way that this one can live with.
const NEWER: &str = "
CREATE TABLE letters (id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE);
ALTER TABLE users ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
ALTER TABLE facts ADD COLUMN author TEXT;
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_runs_on_the_tables_of_a_newer_one_f153() {
    on_each(async |url| {
        let old = Old::new();
        let mut newer = migrations();
        newer.push((9999, NEWER.to_owned()));
        made_by(url, &migrations()[..1], &old.rows()).await;
        made_by(url, &newer, "").await;

        for _ in 0..2 {
            let db = Database::open(url, CONNECTIONS).await.unwrap();
            super::add_user(&db).await;
            db.close().await;
        }

        let db = Database::open(url, CONNECTIONS).await.unwrap();
        old.goes_on(&db).await;
        db.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_a_migration_that_was_changed_are_refused_by_its_number_f153() {
    on_each(async |url| {
        let mut changed = migrations()[..6].to_vec();
        changed[3].1.push_str("-- And one thing more.\n");
        made_by(url, &changed, "").await;

        let refused = Database::open(url, CONNECTIONS).await.unwrap_err();

        assert!(matches!(refused, OpenError::Migration { .. }), "{refused:?}");
        let told = refused.to_string();
        assert!(told.contains("migration 4 was previously applied but has been modified"), "{told}");
        let place = if url.starts_with("sqlite:") { "chat.db" } else { "gauntlet_" };
        assert!(told.starts_with("tables of database `") && told.contains(place), "{told}");
        let mut connection = connect(url).await;
        let last = sqlx::query_scalar::<_, i64>("SELECT MAX(version) FROM _sqlx_migrations");
        assert_eq!(last.fetch_one(&mut connection).await.unwrap(), 6, "nothing was changed");
        connection.close().await.unwrap();
    })
    .await;
}
