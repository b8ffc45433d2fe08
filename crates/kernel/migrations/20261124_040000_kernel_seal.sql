-- By which key what is secret is sealed at present: its name, never itself.
-- The key stands outside of the database (kernel::seals).
CREATE TABLE kernel_seal (
    one INT NOT NULL PRIMARY KEY,
    key BYTES NOT NULL,
    since INT NOT NULL
);
