-- What has ended is found without reading what has not.
CREATE INDEX facts_by_end ON facts (expires_at) WHERE expires_at IS NOT NULL;
