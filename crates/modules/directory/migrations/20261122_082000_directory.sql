-- Organisations. `rev` is the rev of the organisation's stream at which the
-- row last changed; `member_count` counts the active members and is kept, not
-- counted. `home` is the server it belongs to, NULL for this one.
CREATE TABLE orgs (
    id ID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    home ID,
    member_count INT NOT NULL,
    rev INT NOT NULL,
    created_at INT NOT NULL,
    created_by ID NOT NULL REFERENCES users (id)
);
CREATE INDEX orgs_created_by ON orgs (created_by);

-- Who is or was in an organisation. Rows of those who left stay: they are the
-- tombstones of the stream, and whoever comes back has the same row again.
-- `person_rev` is the rev of the person's own stream at the last change.
CREATE TABLE directory_members (
    org_id ID NOT NULL REFERENCES orgs (id),
    user_id ID NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    role TEXT NOT NULL,
    state TEXT NOT NULL,
    joined_at INT NOT NULL,
    left_at INT,
    generation INT NOT NULL,
    rev INT NOT NULL,
    person_rev INT NOT NULL,
    PRIMARY KEY (org_id, user_id)
);
CREATE INDEX directory_members_user ON directory_members (user_id, person_rev);
CREATE INDEX directory_members_rev ON directory_members (org_id, rev);
CREATE INDEX directory_members_name ON directory_members (org_id, state, name_folded, user_id);
CREATE INDEX directory_members_joined ON directory_members (org_id, state, joined_at, user_id);

-- Offers to join. The code is kept as it is, since it is shown again in the
-- list; it is 80 random bits, so its index need not be unique.
CREATE TABLE directory_invitations (
    org_id ID NOT NULL REFERENCES orgs (id),
    id ID NOT NULL,
    code TEXT NOT NULL,
    expires_at INT NOT NULL,
    max_uses INT,
    uses INT NOT NULL,
    created_by ID NOT NULL REFERENCES users (id),
    created_at INT NOT NULL,
    revoked_at INT,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX directory_invitations_code ON directory_invitations (code);
CREATE INDEX directory_invitations_created ON directory_invitations (org_id, created_at, id);
