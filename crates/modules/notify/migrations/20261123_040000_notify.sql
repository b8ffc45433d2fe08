-- Ways out of the server to one person, in the order in which they are tried.
-- `sealed` is a suite byte (0: not sealed yet) and JSON of the address with
-- what opens it; `hint` is what is shown of it. `since` is when the oldest
-- message came that this rung has not told of; `told_at` when it last told.
CREATE TABLE notify_rungs (
    id ID NOT NULL PRIMARY KEY,
    user_id ID NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    hint TEXT NOT NULL,
    sealed BYTES NOT NULL,
    session_id ID,
    position INT NOT NULL,
    enabled BOOL NOT NULL,
    shows TEXT NOT NULL,
    made_at INT NOT NULL,
    since INT,
    told_at INT NOT NULL,
    tested_at INT NOT NULL,
    tried_at INT,
    delivered_at INT,
    fault TEXT,
    failures INT NOT NULL
);
CREATE INDEX notify_rungs_user ON notify_rungs (user_id, position, id);

-- One row for each person something is pending for: when their ladder is
-- climbed next, and the job that is at it. `since` and `told_at` are of the
-- open socket, the rung that everybody has.
CREATE TABLE notify_people (
    user_id ID NOT NULL PRIMARY KEY,
    next_at INT NOT NULL,
    holder ID,
    held_until INT NOT NULL,
    since INT,
    told_at INT NOT NULL,
    acked_at INT NOT NULL
);

-- Conversations with messages a person was not seen to have. No words of
-- them: what is told is read when it is told.
CREATE TABLE notify_pending (
    user_id ID NOT NULL,
    conversation_id ID NOT NULL,
    last_at INT NOT NULL,
    PRIMARY KEY (user_id, conversation_id)
) WITHOUT ROWID;
CREATE INDEX notify_pending_at ON notify_pending (user_id, last_at);

-- Messages of a conversation whose people were not looked for yet: one row a
-- conversation, written with the message, and one job while there is a row.
CREATE TABLE notify_heard (
    conversation_id ID NOT NULL PRIMARY KEY,
    first_seq INT NOT NULL,
    last_seq INT NOT NULL,
    at INT NOT NULL,
    sender ID,
    mention_all BOOL NOT NULL
);

-- The server's own key for Web Push (RFC 8292), made when it is first needed.
-- Whoever subscribed did so to this key, so it never changes.
CREATE TABLE notify_keys (
    name TEXT NOT NULL PRIMARY KEY,
    sealed BYTES NOT NULL
);
