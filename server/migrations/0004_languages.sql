-- Languages: truths that a hand may write as `true`, how much each is used, and who preferred which.

-- The only table whose truths are not 0 or 1: rows are added to it by hand on either engine.
CREATE TABLE languages_by_hand (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    native_name TEXT NOT NULL,
    is_enabled BOOLEAN NOT NULL,
    is_experimental BOOLEAN NOT NULL
);

INSERT INTO languages_by_hand (code, name, native_name, is_enabled, is_experimental)
SELECT code, name, native_name, is_enabled = 1, is_experimental = 1 FROM languages;

DROP TABLE languages;

ALTER TABLE languages_by_hand RENAME TO languages;

-- Messages per language. One language has several rows, so that writers do not stand in line for one.
CREATE TABLE language_messages (
    language TEXT NOT NULL,
    slot BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    PRIMARY KEY (language, slot)
);

INSERT INTO language_messages (language, slot, messages)
SELECT language, 0, COUNT(*) FROM messages GROUP BY language;

CREATE INDEX users_by_language ON users (language);

-- Who preferred which language, and from when on. `number` counts a user's changes from 1.
CREATE TABLE language_preferences (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    from_language TEXT NOT NULL,
    to_language TEXT NOT NULL,
    source TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, number)
);

-- Texts in the place of those in files. A version without a body gives the place back to the file.
CREATE TABLE text_versions (
    language TEXT NOT NULL,
    key TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT,
    state TEXT NOT NULL,
    author TEXT,
    tokens BIGINT NOT NULL,
    approvals_needed BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    live_at BIGINT,
    PRIMARY KEY (language, key, version)
);

CREATE INDEX texts_by_state ON text_versions (state);

CREATE TABLE text_approvals (
    language TEXT NOT NULL,
    key TEXT NOT NULL,
    version BIGINT NOT NULL,
    admin TEXT NOT NULL,
    approved_at BIGINT NOT NULL,
    PRIMARY KEY (language, key, version, admin)
);

-- Counts the changes of what servers keep in memory, so that they see with one row whether to read again.
CREATE TABLE revisions (
    name TEXT PRIMARY KEY,
    number BIGINT NOT NULL
);

INSERT INTO revisions (name, number) VALUES ('texts', 0), ('words', 0);
