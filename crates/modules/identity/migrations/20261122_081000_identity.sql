-- People. `home` is the server they belong to, NULL for this one; `managed_by`
-- the organisation that keeps the account for them. `login` is kept as it was
-- written, `login_folded` is what it is found and unique by.
CREATE TABLE users (
    id ID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    login TEXT NOT NULL,
    login_folded TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    locale TEXT,
    home ID,
    managed_by ID,
    profile_rev INT NOT NULL,
    created_at INT NOT NULL,
    erased_at INT
);

-- What proves who somebody is; `secret` is an Argon2id string in PHC form.
CREATE TABLE identity_credentials (
    user_id ID NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    secret TEXT NOT NULL,
    changed_at INT NOT NULL,
    PRIMARY KEY (user_id, kind)
);

-- Signed-in devices. Of the secret only the SHA-256 is here. When a session
-- ends, `expires_at` moves to that moment, so pruning needs one index.
CREATE TABLE identity_sessions (
    id ID NOT NULL PRIMARY KEY,
    user_id ID NOT NULL REFERENCES users (id),
    secret_hash BYTES NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    device TEXT NOT NULL,
    created_at INT NOT NULL,
    last_seen_at INT NOT NULL,
    expires_at INT NOT NULL,
    ended_at INT,
    generation INT NOT NULL
);
CREATE INDEX identity_sessions_user ON identity_sessions (user_id, last_seen_at);
CREATE INDEX identity_sessions_expires ON identity_sessions (expires_at);

-- The one set-up link of a server without people.
CREATE TABLE identity_setup (
    one INT NOT NULL PRIMARY KEY CHECK (one = 1),
    token_hash BYTES NOT NULL,
    created_at INT NOT NULL
);
