-- Getting a person back into their account by two administrators. One at a
-- time for each person. `ready_at` is when the person can no longer refuse.
CREATE TABLE directory_recoveries (
    org_id ID NOT NULL REFERENCES orgs (id),
    id ID NOT NULL,
    user_id ID NOT NULL REFERENCES users (id),
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    managed BOOL NOT NULL,
    asked_by ID NOT NULL REFERENCES users (id),
    asked_at INT NOT NULL,
    approved_by ID,
    approved_at INT,
    ready_at INT,
    closed_at INT,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX directory_recoveries_open ON directory_recoveries (org_id, user_id)
    WHERE state IN ('asked', 'approved');
CREATE INDEX directory_recoveries_asked ON directory_recoveries (org_id, asked_at, id);
CREATE INDEX directory_recoveries_user ON directory_recoveries (user_id, id);
