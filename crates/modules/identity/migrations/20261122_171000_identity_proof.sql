-- When a session last proved a credential; NULL for those opened without one,
-- and for those older than this column.
ALTER TABLE identity_sessions ADD COLUMN proven_at INT;
-- On a computer of many: ends soon when not used, and at `ends_at` in any case.
ALTER TABLE identity_sessions ADD COLUMN shared BOOL NOT NULL DEFAULT FALSE;
ALTER TABLE identity_sessions ADD COLUMN ends_at INT;
-- Where it was opened or last seen from.
ALTER TABLE identity_sessions ADD COLUMN address TEXT;
