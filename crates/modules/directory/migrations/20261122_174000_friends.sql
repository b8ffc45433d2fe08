-- Friends: two rows a pair, one on the side of each. `state` is what the pair
-- is, seen from that side (none, asked, asked_me, friend); `blocked` is the
-- side's own and the other never learns it. Rows stay as tombstones of the
-- person's stream, whose `rev` they carry.
CREATE TABLE directory_friends (
    user_id ID NOT NULL REFERENCES users (id),
    friend_id ID NOT NULL REFERENCES users (id),
    state TEXT NOT NULL,
    blocked BOOL NOT NULL,
    remark TEXT,
    hello TEXT,
    since INT NOT NULL,
    rev INT NOT NULL,
    PRIMARY KEY (user_id, friend_id)
);
CREATE INDEX directory_friends_rev ON directory_friends (user_id, rev);
CREATE INDEX directory_friends_of ON directory_friends (friend_id, user_id);

-- What a person needs besides: the code by which others find them, and how
-- many they asked on which day (since 1970, UTC). The code is 80 random bits,
-- so its index need not be unique.
CREATE TABLE directory_people (
    user_id ID NOT NULL PRIMARY KEY REFERENCES users (id),
    code TEXT,
    asks_day INT NOT NULL,
    asks INT NOT NULL
);
CREATE INDEX directory_people_code ON directory_people (code);
