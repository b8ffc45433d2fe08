-- A mention that came with another account of the same person; NULL for the
-- person's own.
ALTER TABLE chat_mentions ADD COLUMN via ID;
