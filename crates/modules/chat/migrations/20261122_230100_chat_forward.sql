-- Of a copy: who said it first, when and where, as JSON.
ALTER TABLE chat_messages ADD COLUMN forwarded TEXT;

-- What a card of many forwarded messages opens: a JSON array, as it was said
-- when it was forwarded.
CREATE TABLE chat_records (
    conversation_id ID NOT NULL,
    seq INT NOT NULL,
    items TEXT NOT NULL,
    PRIMARY KEY (conversation_id, seq)
) WITHOUT ROWID;
