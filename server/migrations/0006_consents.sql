-- What users agreed to, and the words that they were shown. Rows are never changed but for `withdrawn_at`, once.
-- `number` counts the consents of a user to a purpose from 1; the newest says whether it is in force.
CREATE TABLE consents (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    number BIGINT NOT NULL,
    version BIGINT NOT NULL,
    language TEXT NOT NULL,
    body TEXT NOT NULL,
    given_at BIGINT NOT NULL,
    withdrawn_at BIGINT,
    PRIMARY KEY (user_id, purpose, number)
);
