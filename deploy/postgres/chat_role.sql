-- The role of `database.chat_url`: it may do what the chat does, and cannot make or change a calendar entry,
-- nor agree to anything in a user's name.
-- Run it as the owner of the database after the server has made its tables, and again after an upgrade.
-- Give the role a password: ALTER ROLE gauntlet_chat PASSWORD '…';

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gauntlet_chat') THEN
        CREATE ROLE gauntlet_chat LOGIN;
    END IF;
END $$;
GRANT USAGE ON SCHEMA public TO gauntlet_chat;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO gauntlet_chat;
REVOKE INSERT, UPDATE, DELETE ON reminders, replies, preferences, feeds, consents, symptom_words, glossary_terms
    FROM gauntlet_chat;
-- What an upgrade adds can be read until this is run again.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO gauntlet_chat;
