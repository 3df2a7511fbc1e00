-- Preferences, reminders that can be brought back, replies to repeated requests, and addresses of feeds.
-- Columns that are added to rows which exist already have a default: what those rows were.

-- Times of day are `HH:MM` of the user's zone; both ends of quiet hours are given, or none.
CREATE TABLE preferences (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    time_zone TEXT NOT NULL,
    default_time TEXT NOT NULL,
    auto_create_low_priority BIGINT NOT NULL,
    require_confirm_for_urgent BIGINT NOT NULL,
    smart_scheduling BIGINT NOT NULL,
    quiet_from TEXT,
    quiet_to TEXT,
    updated_at BIGINT NOT NULL
);

ALTER TABLE reminders ADD COLUMN priority TEXT NOT NULL DEFAULT 'medium';
ALTER TABLE reminders ADD COLUMN origin TEXT NOT NULL DEFAULT 'user';
ALTER TABLE reminders ADD COLUMN deleted_at BIGINT;

CREATE INDEX reminders_deleted ON reminders (user_id, deleted_at) WHERE deleted_at IS NOT NULL;

-- The reply to a request that its client may repeat, under the client's key.
CREATE TABLE replies (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    body TEXT NOT NULL,
    stored_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, route, key)
);

-- Only a hash of the secret address is kept.
CREATE TABLE feeds (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);
