-- The backups that were made of this server. One that is being made holds
-- `until` in the future and renews it; while it does, no object is collected.
CREATE TABLE kernel_backups (
    id ID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    place TEXT NOT NULL,
    -- running, good, failed
    state TEXT NOT NULL,
    begun_at INT NOT NULL,
    ended_at INT,
    until INT NOT NULL,
    -- of the good ones: rows, bytes of all that it needs, bytes that were new
    kept_rows INT NOT NULL,
    kept_bytes INT NOT NULL,
    new_bytes INT NOT NULL,
    -- objects of this server that were damaged or gone when it was made
    damaged INT NOT NULL,
    error TEXT
);
CREATE INDEX kernel_backups_begun ON kernel_backups (begun_at);
