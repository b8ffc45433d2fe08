-- The account that stands for this one since they were merged; and, for a
-- guest who goes on beside it, the account they were found to have.
ALTER TABLE users ADD COLUMN merged_into ID;
ALTER TABLE users ADD COLUMN linked_to ID;
CREATE INDEX users_merged ON users (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX users_linked ON users (linked_to) WHERE linked_to IS NOT NULL;

-- "This account may be merged into the one that shows the code." Of the code
-- only the SHA-256 is here; it is void once the session that asked has ended.
CREATE TABLE identity_merge_offers (
    code_hash BYTES NOT NULL PRIMARY KEY,
    user_id ID NOT NULL REFERENCES users (id),
    session_id ID NOT NULL,
    expires_at INT NOT NULL
);
CREATE INDEX identity_merge_offers_expires ON identity_merge_offers (expires_at);

-- Merges of accounts. `module` and `piece` are the last piece that was moved,
-- `round` counts how often all were asked for; `rev` is of the stream of
-- `into_id`.
CREATE TABLE identity_merges (
    id ID NOT NULL PRIMARY KEY,
    into_id ID NOT NULL REFERENCES users (id),
    from_id ID NOT NULL REFERENCES users (id),
    offered_by ID NOT NULL,
    ends BOOL NOT NULL,
    state TEXT NOT NULL,
    preview TEXT NOT NULL,
    created_at INT NOT NULL,
    begun_at INT,
    done_at INT,
    undo_until INT,
    undone_at INT,
    module TEXT,
    piece TEXT,
    round INT NOT NULL,
    moved INT NOT NULL,
    rev INT NOT NULL
);
CREATE INDEX identity_merges_into ON identity_merges (into_id, created_at);
CREATE INDEX identity_merges_from ON identity_merges (from_id, created_at);
CREATE INDEX identity_merges_undo ON identity_merges (undo_until) WHERE undo_until IS NOT NULL;

-- Each piece that was moved, in order, with what undoing it needs.
CREATE TABLE identity_merge_pieces (
    merge_id ID NOT NULL,
    ord INT NOT NULL,
    module TEXT NOT NULL,
    piece TEXT NOT NULL,
    kept TEXT NOT NULL,
    PRIMARY KEY (merge_id, ord),
    UNIQUE (merge_id, module, piece)
);
