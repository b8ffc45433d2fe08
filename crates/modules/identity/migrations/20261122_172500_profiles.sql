-- What people show of themselves. `photo` is the version of the photo, the
-- rev of the person's stream at which it was set; NULL without one.
ALTER TABLE users ADD COLUMN bio TEXT;
ALTER TABLE users ADD COLUMN photo INT;

-- The squares of the newest photo, as JPEG. They are in no list and in no
-- export of an organisation; the oldest version goes when a new one comes.
CREATE TABLE identity_photos (
    user_id ID NOT NULL REFERENCES users (id),
    side INT NOT NULL,
    version INT NOT NULL,
    bytes BYTES NOT NULL,
    PRIMARY KEY (user_id, side)
);
