-- Where backups are made to. A place that is known has a mark in it; where the
-- mark is not, the place is away. `marked` is false for places of before there
-- were marks, until the first look.
CREATE TABLE kernel_backup_places (
    place TEXT NOT NULL PRIMARY KEY,
    since INT NOT NULL,
    marked BOOL NOT NULL
);
INSERT INTO kernel_backup_places (place, since, marked)
    SELECT rtrim(place, '/'), MIN(begun_at), FALSE FROM kernel_backups WHERE state = 'good' GROUP BY rtrim(place, '/');

-- When the first backup was made under an epoch, which a restore begins.
CREATE TABLE kernel_epochs (
    epoch ID NOT NULL PRIMARY KEY,
    since INT NOT NULL
);
