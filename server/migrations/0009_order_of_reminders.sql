-- The order in which the reminders of a user are made, from 1: those that are due and were made at one moment are listed
-- in it. 0 is a reminder that was made before there was an order, or by an older server beside this one.
ALTER TABLE reminders ADD COLUMN number BIGINT NOT NULL DEFAULT 0;

CREATE INDEX reminders_in_order ON reminders (user_id, number);
