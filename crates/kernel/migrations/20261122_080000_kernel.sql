-- Heads of the streams that several modules write: persons and organisations.
CREATE TABLE kernel_heads (
    kind TEXT NOT NULL,
    id ID NOT NULL,
    rev INT NOT NULL,
    PRIMARY KEY (kind, id)
);

-- What ended for whom; every node reads it every two seconds, so access ends
-- even where the bus is down.
CREATE TABLE kernel_access_changes (
    id ID NOT NULL PRIMARY KEY,
    at INT NOT NULL,
    user_id ID NOT NULL,
    kind TEXT NOT NULL,
    object ID
);
CREATE INDEX kernel_access_changes_at ON kernel_access_changes (at);

-- The chain of privileged acts, one chain per organisation and one for the
-- server (scope = nil).
CREATE TABLE kernel_audit (
    scope ID NOT NULL,
    seq INT NOT NULL,
    at INT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id ID NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL,
    prev_hash BYTES NOT NULL,
    hash BYTES NOT NULL,
    PRIMARY KEY (scope, seq)
);

CREATE TABLE kernel_settings (
    scope TEXT NOT NULL,
    owner_id ID NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (scope, owner_id, key)
);

CREATE TABLE kernel_idempotency (
    actor_id ID NOT NULL,
    key TEXT NOT NULL,
    request_hash BYTES NOT NULL,
    result_id ID NOT NULL,
    at INT NOT NULL,
    PRIMARY KEY (actor_id, key)
);
CREATE INDEX kernel_idempotency_at ON kernel_idempotency (at);

-- Who looked at things marked personal; the privacy page shows it.
CREATE TABLE kernel_access_log (
    id ID NOT NULL PRIMARY KEY,
    at INT NOT NULL,
    person_id ID NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id ID NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL
);
CREATE INDEX kernel_access_log_person ON kernel_access_log (person_id, at);
