-- What a person saved for later. `rev` is of the person's stream. A bookmark
-- that was taken away stays as a tombstone without its note, so that a device
-- that was offline hears of it.
CREATE TABLE bookmarks_items (
    user_id ID NOT NULL REFERENCES users (id),
    conversation_id ID NOT NULL,
    seq INT NOT NULL,
    note TEXT NOT NULL,
    saved_at INT NOT NULL,
    removed BOOL NOT NULL,
    rev INT NOT NULL,
    PRIMARY KEY (user_id, conversation_id, seq)
) WITHOUT ROWID;
CREATE INDEX bookmarks_items_rev ON bookmarks_items (user_id, rev);
CREATE INDEX bookmarks_items_list ON bookmarks_items (user_id, rev, conversation_id, seq) WHERE NOT removed;
