-- Objects that were found missing, or with another content than they had.
CREATE TABLE kernel_blob_faults (
    blob_id ID NOT NULL PRIMARY KEY,
    -- missing, wrong
    fault TEXT NOT NULL,
    found_at INT NOT NULL
);

-- How far the slow look at all objects has come; one row. `whole_at` is when
-- it last came to the end.
CREATE TABLE kernel_blob_round (
    one INT NOT NULL PRIMARY KEY,
    behind ID NOT NULL,
    looked INT NOT NULL,
    whole_at INT
);
