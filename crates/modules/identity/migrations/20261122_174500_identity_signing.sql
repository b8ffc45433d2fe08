-- Passkeys. `data` is the credential as the library keeps it (public key,
-- transports, flags); `counter` the signature counter, by which a copy of the
-- authenticator shows itself.
CREATE TABLE identity_passkeys (
    id ID NOT NULL PRIMARY KEY,
    user_id ID NOT NULL REFERENCES users (id),
    credential_id BYTES NOT NULL UNIQUE,
    data TEXT NOT NULL,
    counter INT NOT NULL,
    name TEXT NOT NULL,
    created_at INT NOT NULL,
    last_used_at INT
);
CREATE INDEX identity_passkeys_user ON identity_passkeys (user_id, id);

-- Passkey ceremonies that were begun: the challenge and what goes with it. In
-- the database, so that any node may finish one; each is taken once.
-- `user_id` and `session_id` are nil where nobody is signed in yet.
CREATE TABLE identity_ceremonies (
    id ID NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    user_id ID NOT NULL,
    session_id ID NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    expires_at INT NOT NULL
);
CREATE INDEX identity_ceremonies_expires ON identity_ceremonies (expires_at);

-- Codes of an authenticator app. `pending` is a secret that was shown and not
-- confirmed yet; secrets begin with a byte that names how they are sealed (0:
-- not). `last_step` is the 30-second step of the last code that was taken: none
-- is taken twice.
CREATE TABLE identity_totp (
    user_id ID NOT NULL PRIMARY KEY REFERENCES users (id),
    secret BYTES,
    pending BYTES,
    pending_at INT,
    last_step INT NOT NULL,
    changed_at INT NOT NULL
);

-- Recovery codes that are left; a used one is gone.
CREATE TABLE identity_recovery_codes (
    user_id ID NOT NULL REFERENCES users (id),
    hash BYTES NOT NULL,
    created_at INT NOT NULL,
    PRIMARY KEY (user_id, hash)
);

-- A second device that asks to be let in by a signed-in one. `id` is made from
-- a hash of the code in the link, which is kept nowhere; `user_id` is who
-- looked at it first: only they may go on with it.
CREATE TABLE identity_sign_in_links (
    id ID NOT NULL PRIMARY KEY,
    secret_hash BYTES NOT NULL,
    device TEXT NOT NULL,
    address TEXT,
    kind TEXT NOT NULL,
    shared BOOL NOT NULL,
    number INT NOT NULL,
    state TEXT NOT NULL,
    user_id ID,
    proven_at INT,
    created_at INT NOT NULL,
    expires_at INT NOT NULL
);
CREATE INDEX identity_sign_in_links_expires ON identity_sign_in_links (expires_at);
