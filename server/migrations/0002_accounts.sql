-- A device is one log-in and all the refresh tokens that followed from it. A device that is not here is logged out:
-- tokens that name it count no more.
CREATE TABLE devices (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- When the second factor was given or last used; NULL while it was not.
    factor_at BIGINT
);

CREATE INDEX devices_by_user ON devices (user_id, seen_at);

-- Secrets are kept as their SHA-256 in hexadecimal.
CREATE TABLE refresh_tokens (
    hash TEXT PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE INDEX refresh_tokens_by_device ON refresh_tokens (device_id, expires_at);

-- `device_id` refers to nothing, so that tokens from before there were devices can buy a ticket too.
CREATE TABLE tickets (
    hash TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id TEXT,
    token_expires_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX tickets_by_user ON tickets (user_id, expires_at);

CREATE TABLE blocks (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    reason TEXT NOT NULL,
    blocked_at BIGINT NOT NULL,
    until BIGINT NOT NULL
);

-- `step` is the last one-time password that was used, counted in 30 s since 1970: none is good twice.
CREATE TABLE second_factors (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret TEXT NOT NULL,
    confirmed_at BIGINT,
    step BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Rows are added and never changed. They refer to nothing: they outlive the people that they name.
CREATE TABLE audit (
    position BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    subject_id TEXT,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    outcome TEXT NOT NULL,
    address TEXT NOT NULL
);

CREATE INDEX audit_by_time ON audit (at);

-- One row: the position of the last row of the log. Whoever adds one takes the next, one after the other.
CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY,
    position BIGINT NOT NULL
);

INSERT INTO audit_head (id, position) VALUES (1, 0);
