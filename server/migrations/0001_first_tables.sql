-- Valid on SQLite and on PostgreSQL. Times are microseconds since 1970 (UTC), truths are 0 or 1, ids are
-- hyphenated UUIDs. No column has a default, and no engine is asked for the time.

CREATE TABLE languages (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    native_name TEXT NOT NULL,
    is_enabled BIGINT NOT NULL,
    is_experimental BIGINT NOT NULL
);

INSERT INTO languages (code, name, native_name, is_enabled, is_experimental)
VALUES ('en', 'English', 'English', 1, 0), ('es', 'Spanish', 'Español', 1, 0);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    display_name TEXT NOT NULL,
    language TEXT NOT NULL,
    is_admin BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- `number` counts a user's sessions from 1: two of them may begin at one instant.
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    reason TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    active_at BIGINT NOT NULL,
    ended_at BIGINT,
    messages BIGINT NOT NULL
);

CREATE UNIQUE INDEX one_open_session ON sessions (user_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_by_user ON sessions (user_id, number);

CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    kind TEXT NOT NULL,
    language TEXT NOT NULL,
    body TEXT NOT NULL,
    stored_at BIGINT NOT NULL,
    UNIQUE (session_id, position)
);

CREATE TABLE facts (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    confidence DOUBLE PRECISION NOT NULL,
    source TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (user_id, key)
);

CREATE TABLE fact_revisions (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    version BIGINT NOT NULL,
    value TEXT NOT NULL,
    confidence DOUBLE PRECISION NOT NULL,
    source TEXT NOT NULL,
    written_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, key, version)
);

-- `reminder_id` refers to nothing: a used suggestion stays used when its reminder is deleted.
CREATE TABLE suggestions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    priority TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    suggested_time BIGINT NOT NULL,
    suggested_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    dismissed_at BIGINT,
    reminder_id TEXT
);

CREATE INDEX suggestions_by_user ON suggestions (user_id, suggested_at);

CREATE TABLE reminders (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    remind_at BIGINT NOT NULL,
    offset_minutes BIGINT NOT NULL,
    is_completed BIGINT NOT NULL,
    suggestion_id TEXT UNIQUE REFERENCES suggestions (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX reminders_by_user ON reminders (user_id, remind_at);
