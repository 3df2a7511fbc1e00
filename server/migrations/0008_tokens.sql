-- What a user's answers have cost on the last day on which there were any; `day` counts days since 1970 in UTC.
CREATE TABLE token_use (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    day BIGINT NOT NULL,
    tokens BIGINT NOT NULL
);
