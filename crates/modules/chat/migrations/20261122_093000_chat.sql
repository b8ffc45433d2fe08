-- One row per conversation: its head and what everyone in it sees alike.
-- `rev` is the stream's, `row_rev` the rev at which this row itself last
-- changed (title, members). `changed_at` grows strictly with every rev;
-- `last_at` is the time of the newest message and never goes back, so that a
-- time can be looked up by halving `seq`.
-- `direct_key` makes the conversation of two people, and of one with
-- themselves, one row. `preview` is a JSON array of the first nine members.
CREATE TABLE conversations (
    id ID NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    org_id ID,
    title TEXT,
    direct_key TEXT UNIQUE,
    created_by ID NOT NULL,
    created_at INT NOT NULL,
    seq INT NOT NULL,
    n INT NOT NULL,
    rev INT NOT NULL,
    row_rev INT NOT NULL,
    mention_all_n INT NOT NULL,
    changed_at INT NOT NULL,
    last_at INT NOT NULL,
    member_count INT NOT NULL,
    preview TEXT NOT NULL,
    home ID
);
CREATE INDEX conversations_org ON conversations (org_id, kind);

-- Who is in a conversation that has members of its own. Whoever left stays as
-- a tombstone, so that a client can hear of it later. `joined_seq` is the
-- first message they were there for, `joined_n` the count before it;
-- `joined_rev` tells a new membership from a changed one.
CREATE TABLE chat_members (
    conversation_id ID NOT NULL,
    user_id ID NOT NULL,
    role TEXT NOT NULL,
    acting_org ID,
    joined_seq INT NOT NULL,
    joined_n INT NOT NULL,
    joined_rev INT NOT NULL,
    visible_from INT NOT NULL,
    left_at INT,
    rev INT NOT NULL,
    PRIMARY KEY (conversation_id, user_id)
) WITHOUT ROWID;
CREATE INDEX chat_members_user ON chat_members (user_id, conversation_id);
CREATE INDEX chat_members_rev ON chat_members (conversation_id, rev);
CREATE INDEX chat_members_first ON chat_members (conversation_id, joined_seq, user_id) WHERE left_at IS NULL;

-- No foreign key: the head is locked and read before every insert, and this
-- is the table to be distributed. For the same reason nothing in it is unique
-- beyond its conversation.
-- `body` is JSON for the kinds of this release; a sealed kind would carry its
-- suite in `body_kind` and its bytes in a column of its own.
CREATE TABLE chat_messages (
    conversation_id ID NOT NULL,
    seq INT NOT NULL,
    n INT NOT NULL,
    rev INT NOT NULL,
    sent_rev INT NOT NULL,
    sender_kind TEXT NOT NULL,
    sender_id ID NOT NULL,
    client_id ID,
    sent_at INT NOT NULL,
    body_kind TEXT NOT NULL,
    body TEXT,
    mentions TEXT,
    mention_all BOOL NOT NULL,
    reply_to INT,
    edited_at INT,
    recalled_at INT,
    countable BOOL NOT NULL,
    PRIMARY KEY (conversation_id, seq),
    UNIQUE (conversation_id, sender_id, client_id)
) WITHOUT ROWID;
CREATE INDEX chat_messages_rev ON chat_messages (conversation_id, rev);
CREATE INDEX chat_messages_all ON chat_messages (conversation_id, seq) WHERE mention_all;

-- Former bodies, each with the time at which it was written.
CREATE TABLE chat_edits (
    conversation_id ID NOT NULL,
    seq INT NOT NULL,
    edit INT NOT NULL,
    body_kind TEXT NOT NULL,
    body TEXT NOT NULL,
    mentions TEXT,
    at INT NOT NULL,
    PRIMARY KEY (conversation_id, seq, edit)
) WITHOUT ROWID;

-- Who reacted with what. `rev` is the order in which they did.
CREATE TABLE chat_reactions (
    conversation_id ID NOT NULL,
    seq INT NOT NULL,
    emoji TEXT NOT NULL,
    user_id ID NOT NULL,
    rev INT NOT NULL,
    PRIMARY KEY (conversation_id, seq, emoji, user_id)
) WITHOUT ROWID;
CREATE INDEX chat_reactions_order ON chat_reactions (conversation_id, seq, emoji, rev);
CREATE INDEX chat_reactions_user ON chat_reactions (conversation_id, user_id, seq);

-- One emoji on one message: what the stream tells. It stays with a count of 0
-- as the tombstone. `users` is a JSON array of the first twenty, so that a
-- message with a hundred thousand reactions is still one row to read.
CREATE TABLE chat_reaction_sums (
    conversation_id ID NOT NULL,
    seq INT NOT NULL,
    emoji TEXT NOT NULL,
    count INT NOT NULL,
    users TEXT NOT NULL,
    last_user ID NOT NULL,
    last_on BOOL NOT NULL,
    rev INT NOT NULL,
    PRIMARY KEY (conversation_id, seq, emoji)
) WITHOUT ROWID;
CREATE INDEX chat_reaction_sums_rev ON chat_reaction_sums (conversation_id, rev);

-- A person's place. `rev` is of the person's stream, and is not taken where
-- the place moves because they sent. `joined_seq` is kept for derived
-- conversations only, which have no membership row to hold it; `gone` marks
-- those who left one.
CREATE TABLE chat_cursors (
    conversation_id ID NOT NULL,
    user_id ID NOT NULL,
    read_seq INT NOT NULL,
    n INT NOT NULL,
    delivered_seq INT NOT NULL,
    moved_at INT NOT NULL,
    rev INT NOT NULL,
    joined_seq INT,
    gone BOOL NOT NULL,
    PRIMARY KEY (conversation_id, user_id)
) WITHOUT ROWID;
CREATE INDEX chat_cursors_user ON chat_cursors (user_id, rev);

-- What a person chose for a conversation, and the draft kept for it. Both
-- revs are of the person's stream, 0 where the part was never written.
CREATE TABLE chat_preferences (
    user_id ID NOT NULL,
    conversation_id ID NOT NULL,
    muted BOOL NOT NULL,
    pinned BOOL NOT NULL,
    hidden BOOL NOT NULL,
    marked_unread BOOL NOT NULL,
    rev INT NOT NULL,
    draft TEXT,
    draft_rev INT NOT NULL,
    PRIMARY KEY (user_id, conversation_id)
) WITHOUT ROWID;

CREATE TABLE chat_mentions (
    user_id ID NOT NULL,
    conversation_id ID NOT NULL,
    seq INT NOT NULL,
    sender_id ID NOT NULL,
    at INT NOT NULL,
    PRIMARY KEY (user_id, conversation_id, seq)
) WITHOUT ROWID;
CREATE INDEX chat_mentions_at ON chat_mentions (user_id, at, conversation_id, seq);
