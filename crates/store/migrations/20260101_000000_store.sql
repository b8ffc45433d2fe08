CREATE TABLE meta (
    one INT PRIMARY KEY CHECK (one = 1),
    server_id ID NOT NULL,
    epoch ID NOT NULL
);

-- Work after the commit. `seq` orders the jobs of one key; `attempt` grows
-- with every claim and never goes back, so it fences off whoever lost the
-- lease; `failures` counts since the last success and drives the back-off.
CREATE TABLE jobs (
    seq SEQ,
    id ID NOT NULL UNIQUE,
    org_id ID,
    kind TEXT NOT NULL,
    key TEXT,
    run_at INT NOT NULL,
    lease_until INT,
    node INT,
    attempt INT NOT NULL DEFAULT 0,
    failures INT NOT NULL DEFAULT 0,
    dead_at INT,
    error TEXT,
    payload TEXT NOT NULL
);
CREATE INDEX jobs_due ON jobs (run_at, seq) WHERE dead_at IS NULL;
CREATE INDEX jobs_key ON jobs (key, seq) WHERE key IS NOT NULL AND dead_at IS NULL;

-- The last slot of each kind of periodic work. Kept apart from the jobs: a
-- job's row is gone when it is done, and its slot must not come back.
CREATE TABLE job_slots (
    kind TEXT PRIMARY KEY,
    slot INT NOT NULL
);

-- The outbox. One process needs none: its ring holds what SQLite committed.
--! postgres
CREATE TABLE hints (
    id SEQ,
    stream TEXT NOT NULL,
    rev INT NOT NULL,
    node INT NOT NULL,
    at INT NOT NULL
);
--! postgres
CREATE INDEX hints_stream ON hints (stream, rev);
--! postgres
CREATE INDEX hints_at ON hints (at);
