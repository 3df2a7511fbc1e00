-- 1 in the revision that closed the fact; older revisions hold NULL, which means 0.
ALTER TABLE fact_revisions ADD COLUMN is_end BIGINT;
