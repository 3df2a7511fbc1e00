-- The message that is asked instead of this one, or whose answer stands instead of this reply; NULL where it stands itself.
ALTER TABLE messages ADD COLUMN replaced_by TEXT;
