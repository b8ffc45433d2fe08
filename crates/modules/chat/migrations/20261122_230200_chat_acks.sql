-- Whether the sender asks everybody to acknowledge the message.
ALTER TABLE chat_messages ADD COLUMN ack BOOL;
ALTER TABLE chat_recalls ADD COLUMN ack BOOL;

-- Messages that ask, with how many have pressed the key: what the stream
-- tells. `rev` is 0 until somebody has. The row goes with a recall.
CREATE TABLE chat_asks (
    conversation_id ID NOT NULL,
    seq INT NOT NULL,
    sender_id ID NOT NULL,
    at INT NOT NULL,
    count INT NOT NULL,
    last_user ID NOT NULL,
    last_on BOOL NOT NULL,
    rev INT NOT NULL,
    PRIMARY KEY (conversation_id, seq)
) WITHOUT ROWID;
CREATE INDEX chat_asks_rev ON chat_asks (conversation_id, rev);

-- Who pressed it. `via` is the account that did, where it came with a merge.
CREATE TABLE chat_acks (
    conversation_id ID NOT NULL,
    seq INT NOT NULL,
    user_id ID NOT NULL,
    at INT NOT NULL,
    via ID,
    PRIMARY KEY (conversation_id, seq, user_id)
) WITHOUT ROWID;
CREATE INDEX chat_acks_user ON chat_acks (user_id, conversation_id, seq);
