-- Mentions are read by person; a conversation that goes takes its own with it.
CREATE INDEX chat_mentions_conversation ON chat_mentions (conversation_id, user_id, seq);
