-- How suggestions of the last weeks were received, over all users.
CREATE INDEX suggestions_by_time ON suggestions (suggested_at);
