-- What people uploaded. A row is made before the first byte; the quota is
-- taken with it. `state` is uploading, checking (all bytes are there), ready,
-- or gone (nobody sees it; the objects are still to be deleted). `loose_at` is
-- since when nothing holds a ready file. A picture has width, height, colour;
-- one that cannot be shown has a fault.
CREATE TABLE files_files (
    id ID NOT NULL PRIMARY KEY,
    owner_id ID NOT NULL REFERENCES users (id),
    org_id ID,
    name TEXT NOT NULL,
    size INT NOT NULL,
    received INT NOT NULL,
    parts INT NOT NULL,
    state TEXT NOT NULL,
    mime TEXT NOT NULL,
    blob_id ID,
    sha256 BYTES,
    width INT,
    height INT,
    colour TEXT,
    animated BOOL NOT NULL,
    fault TEXT,
    created_at INT NOT NULL,
    touched_at INT NOT NULL,
    loose_at INT
);
CREATE INDEX files_files_owner ON files_files (owner_id, created_at, id);
CREATE INDEX files_files_org ON files_files (org_id, id);
CREATE INDEX files_files_state ON files_files (state, touched_at);
CREATE INDEX files_files_loose ON files_files (loose_at) WHERE loose_at IS NOT NULL;

-- The pieces of an upload, each an object that is durable.
CREATE TABLE files_parts (
    file_id ID NOT NULL,
    start INT NOT NULL,
    size INT NOT NULL,
    object TEXT NOT NULL,
    PRIMARY KEY (file_id, start)
) WITHOUT ROWID;

-- What is shown of a picture, by its longest side.
CREATE TABLE files_pictures (
    file_id ID NOT NULL,
    side INT NOT NULL,
    blob_id ID NOT NULL,
    PRIMARY KEY (file_id, side)
) WITHOUT ROWID;

-- What holds a file: a message. `org_id` is the holder's organisation.
CREATE TABLE files_attachments (
    file_id ID NOT NULL,
    kind TEXT NOT NULL,
    place ID NOT NULL,
    item INT NOT NULL,
    org_id ID,
    at INT NOT NULL,
    PRIMARY KEY (file_id, kind, place, item)
) WITHOUT ROWID;
CREATE INDEX files_attachments_org ON files_attachments (org_id, file_id);

-- Bytes and unfinished uploads of one person in one organisation (all zeros:
-- outside of any), and of the organisation as a whole (person all zeros).
CREATE TABLE files_usage (
    org_id ID NOT NULL,
    user_id ID NOT NULL,
    bytes INT NOT NULL,
    uploads INT NOT NULL,
    PRIMARY KEY (org_id, user_id)
) WITHOUT ROWID;

-- What the addresses of files are signed with; one row.
CREATE TABLE files_secret (
    id INT NOT NULL PRIMARY KEY,
    secret BYTES NOT NULL
);
