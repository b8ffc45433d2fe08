-- By what a browser is known again after its session has ended: the hash of a
-- cookie of its own. Wrong tries of strangers for a sign-in name are counted
-- apart from those on browsers where its person signed in.
ALTER TABLE identity_sessions ADD COLUMN known_by BYTES;
CREATE INDEX identity_sessions_known ON identity_sessions (known_by) WHERE known_by IS NOT NULL;

-- How often the PIN of a card was tried: it is void after too many.
ALTER TABLE identity_pins ADD COLUMN tries INT NOT NULL DEFAULT 0;
