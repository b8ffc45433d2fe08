-- When a person rests: a time zone by name, and times of days as JSON. What
-- they are resting from is their conversations, in whatever organisation.
CREATE TABLE chat_rest_hours (
    user_id ID NOT NULL PRIMARY KEY,
    zone TEXT NOT NULL,
    hours TEXT NOT NULL,
    changed_at INT NOT NULL
);
