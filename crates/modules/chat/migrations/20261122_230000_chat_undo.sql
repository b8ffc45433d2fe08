-- Whether a recalled message was taken back at once, so that nothing is drawn
-- in its place. NULL in rows of the release before.
ALTER TABLE chat_messages ADD COLUMN undone BOOL;
-- What is above a person's place and does not wait for them.
CREATE INDEX chat_messages_undone ON chat_messages (conversation_id, seq) WHERE undone;

-- What a recalled message said, kept a few minutes for its sender to write it
-- anew, on whatever device.
CREATE TABLE chat_recalls (
    conversation_id ID NOT NULL,
    seq INT NOT NULL,
    user_id ID NOT NULL,
    body TEXT NOT NULL,
    mentions TEXT,
    mention_all BOOL NOT NULL,
    until INT NOT NULL,
    PRIMARY KEY (conversation_id, seq)
) WITHOUT ROWID;
CREATE INDEX chat_recalls_user ON chat_recalls (user_id);
CREATE INDEX chat_recalls_until ON chat_recalls (until, conversation_id, seq);
