-- For what a guest sent a file: the conversation they sit in, as whoever holds
-- files names places. None of anybody else's.
ALTER TABLE files_files ADD COLUMN place ID;

-- Beside people and organisations a row counts what guests use: of all guests
-- of one place (person: the place) and of all of an organisation (person: all
-- ones). `day_bytes` is what was sent since `day_since`, for a day at most;
-- it is counted of guests alone.
ALTER TABLE files_usage ADD COLUMN day_since INT NOT NULL DEFAULT 0;
ALTER TABLE files_usage ADD COLUMN day_bytes INT NOT NULL DEFAULT 0;
