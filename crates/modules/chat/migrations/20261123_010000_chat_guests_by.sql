-- By whose word and by which link a guest has a seat. `let_in_by` is NULL in a
-- conversation of the guest's own, which is the organisation's: there nobody
-- vouches for anybody among others. `silent_since` is when a guest came, or
-- was last looked after, who has not been found to say anything; NULL: they
-- did. `left_seq` is the newest message when somebody left, so that those who
-- came later are not told of it. NULL in rows of the release before.
ALTER TABLE chat_members ADD COLUMN let_in_by ID;
ALTER TABLE chat_members ADD COLUMN link_id ID;
ALTER TABLE chat_members ADD COLUMN silent_since INT;
ALTER TABLE chat_members ADD COLUMN left_seq INT;
CREATE INDEX chat_members_guest ON chat_members (user_id, conversation_id) WHERE guest;
CREATE INDEX chat_members_let_in ON chat_members (let_in_by, conversation_id, user_id) WHERE let_in_by IS NOT NULL;
CREATE INDEX chat_members_link ON chat_members (link_id, conversation_id, user_id) WHERE link_id IS NOT NULL;
CREATE INDEX chat_members_silent ON chat_members (silent_since, conversation_id, user_id) WHERE silent_since IS NOT NULL;
