-- Contact points: e-mail addresses and phone numbers. `address` is as it is
-- shown, `folded` what it is found and unique by. `proven_at` is when a code
-- proved it; `verified_at` when it became one's own, which after a change
-- without the old one is a day later (`pending_until`). On a verified one
-- `pending_until` is when it will be removed.
CREATE TABLE identity_contacts (
    id ID NOT NULL PRIMARY KEY,
    user_id ID NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    folded TEXT NOT NULL,
    visible_to TEXT NOT NULL,
    proven_at INT,
    verified_at INT,
    pending_until INT,
    created_at INT NOT NULL,
    UNIQUE (user_id, kind, folded)
);
CREATE UNIQUE INDEX identity_contacts_owner ON identity_contacts (kind, folded) WHERE verified_at IS NOT NULL;
CREATE UNIQUE INDEX identity_contacts_one ON identity_contacts (user_id, kind) WHERE verified_at IS NOT NULL;
CREATE INDEX identity_contacts_proven ON identity_contacts (kind, folded) WHERE proven_at IS NOT NULL;
CREATE INDEX identity_contacts_created ON identity_contacts (created_at) WHERE proven_at IS NULL;

-- Codes that were sent. `subject` is what the code is for: a contact, or a
-- reset. A reset of an address nobody has is a row without `user_id`, so that
-- it costs the same. The code is made when it is sent; before that, and where
-- it is not sent, `code_hash` is NULL and nothing fits.
CREATE TABLE identity_codes (
    purpose TEXT NOT NULL,
    subject ID NOT NULL,
    user_id ID REFERENCES users (id),
    kind TEXT NOT NULL,
    folded TEXT NOT NULL,
    code_hash BYTES,
    tries INT NOT NULL,
    expires_at INT NOT NULL,
    PRIMARY KEY (purpose, subject)
);
CREATE INDEX identity_codes_user ON identity_codes (user_id);
CREATE INDEX identity_codes_expires ON identity_codes (expires_at);

-- Tries and sends that are counted over restarts and nodes. `key` is a hash
-- of a sign-in name or an address, also of those nobody has.
CREATE TABLE identity_throttle (
    purpose TEXT NOT NULL,
    key ID NOT NULL,
    count INT NOT NULL,
    since INT NOT NULL,
    until INT NOT NULL,
    PRIMARY KEY (purpose, key)
);
CREATE INDEX identity_throttle_since ON identity_throttle (since);
