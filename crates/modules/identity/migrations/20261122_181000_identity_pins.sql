-- A PIN on a card: of a new account that an organisation issued (`first`), or
-- to get back into one (`recovery`). Good once, and then a password takes its
-- place. `secret` is an Argon2id string in PHC form.
CREATE TABLE identity_pins (
    user_id ID NOT NULL PRIMARY KEY REFERENCES users (id),
    reason TEXT NOT NULL,
    secret TEXT NOT NULL,
    created_at INT NOT NULL,
    expires_at INT NOT NULL
);
