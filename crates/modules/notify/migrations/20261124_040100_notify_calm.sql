-- How many notices a rung told in a row, each soon after the one before: the
-- more, the longer it waits with the next.
ALTER TABLE notify_rungs ADD COLUMN in_a_row INT NOT NULL DEFAULT 0;
