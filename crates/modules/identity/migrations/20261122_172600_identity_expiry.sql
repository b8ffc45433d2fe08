-- Sessions whose time is over but that nobody has ended yet are looked for
-- every minute; ended ones stay for days and must not be read for that.
CREATE INDEX identity_sessions_open ON identity_sessions (expires_at) WHERE ended_at IS NULL;
