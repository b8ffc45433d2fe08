-- Who runs this server.
CREATE TABLE kernel_operators (
    user_id ID NOT NULL PRIMARY KEY,
    since INT NOT NULL
) WITHOUT ROWID;

-- One row that is written to see whether the database takes writes.
CREATE TABLE kernel_probe (
    one INT NOT NULL PRIMARY KEY,
    at INT NOT NULL
);
