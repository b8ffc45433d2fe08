-- What happened to a person's account, for that person. `rev` is of the
-- person's stream; `detail` holds ids, kinds and numbers.
CREATE TABLE identity_notices (
    id ID NOT NULL PRIMARY KEY,
    user_id ID NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    at INT NOT NULL,
    seen_at INT,
    rev INT NOT NULL
);
CREATE INDEX identity_notices_rev ON identity_notices (user_id, rev);
CREATE INDEX identity_notices_at ON identity_notices (user_id, at, id);
CREATE INDEX identity_notices_old ON identity_notices (at);
