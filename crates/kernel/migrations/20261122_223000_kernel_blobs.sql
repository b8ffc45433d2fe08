-- Objects in the store of files. A row is pending before its object is
-- written, ready when the object is durable, doomed before it is deleted; so
-- there is no object without a row. Content that an organisation has already
-- is kept once; without an organisation nothing is shared. `loose_at` is when
-- something last let go of it.
CREATE TABLE kernel_blobs (
    id ID NOT NULL PRIMARY KEY,
    org_id ID,
    sha256 BYTES,
    size INT NOT NULL,
    state TEXT NOT NULL,
    changed_at INT NOT NULL,
    loose_at INT
);
CREATE INDEX kernel_blobs_content ON kernel_blobs (org_id, sha256);
CREATE INDEX kernel_blobs_state ON kernel_blobs (state, changed_at);
CREATE INDEX kernel_blobs_loose ON kernel_blobs (loose_at) WHERE loose_at IS NOT NULL;

-- Which row of which module holds on to an object.
CREATE TABLE kernel_blob_refs (
    blob_id ID NOT NULL,
    module TEXT NOT NULL,
    row_id ID NOT NULL,
    PRIMARY KEY (blob_id, module, row_id)
) WITHOUT ROWID;
CREATE INDEX kernel_blob_refs_row ON kernel_blob_refs (module, row_id);
