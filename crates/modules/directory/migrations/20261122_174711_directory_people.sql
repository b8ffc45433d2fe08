-- An organisation that will close does so at `closing_at`; `closed_at` marks
-- the tombstone of one that did.
ALTER TABLE orgs ADD COLUMN closing_at INT;
ALTER TABLE orgs ADD COLUMN closed_at INT;
CREATE INDEX orgs_closing ON orgs (closing_at) WHERE closing_at IS NOT NULL;

-- `number` is the organisation's own for the person. `verified` says that it
-- checked the real name; such a name, and one it wrote itself (`name_own`),
-- does not follow the account. `removed` marks those who did not go by
-- themselves: they come back only with somebody's approval.
ALTER TABLE directory_members ADD COLUMN number TEXT;
ALTER TABLE directory_members ADD COLUMN verified BOOL NOT NULL DEFAULT FALSE;
ALTER TABLE directory_members ADD COLUMN name_own BOOL NOT NULL DEFAULT FALSE;
ALTER TABLE directory_members ADD COLUMN removed BOOL NOT NULL DEFAULT FALSE;
CREATE UNIQUE INDEX directory_members_number ON directory_members (org_id, number);

-- `short` is the code that is read aloud: 40 random bits, so guessing it is
-- limited. `pending` counts requests that wait for approval; each holds one of
-- `max_uses` until it is decided.
ALTER TABLE directory_invitations ADD COLUMN short TEXT;
ALTER TABLE directory_invitations ADD COLUMN approval BOOL NOT NULL DEFAULT FALSE;
ALTER TABLE directory_invitations ADD COLUMN label TEXT;
ALTER TABLE directory_invitations ADD COLUMN pending INT NOT NULL DEFAULT 0;
CREATE INDEX directory_invitations_short ON directory_invitations (short);

-- Who asks to join. `org_name` and `name` are as both were then, so that what
-- the person's stream told of a request stays what is read later.
-- `person_rev` is the rev of the person's own stream at the last change.
CREATE TABLE directory_join_requests (
    org_id ID NOT NULL REFERENCES orgs (id),
    id ID NOT NULL,
    user_id ID NOT NULL REFERENCES users (id),
    invitation_id ID NOT NULL,
    org_name TEXT NOT NULL,
    name TEXT NOT NULL,
    was_removed BOOL NOT NULL,
    state TEXT NOT NULL,
    at INT NOT NULL,
    decided_at INT,
    decided_by ID,
    person_rev INT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX directory_join_requests_one ON directory_join_requests (org_id, user_id) WHERE state = 'pending';
CREATE INDEX directory_join_requests_state ON directory_join_requests (org_id, state, at, id);
CREATE INDEX directory_join_requests_user ON directory_join_requests (user_id, person_rev);

-- Roles an organisation makes for itself, what they permit, and who has them.
-- Owner, admin and member are not here: they are rows of the program.
CREATE TABLE directory_roles (
    org_id ID NOT NULL REFERENCES orgs (id),
    id ID NOT NULL,
    name TEXT NOT NULL,
    created_at INT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE TABLE directory_role_permissions (
    org_id ID NOT NULL,
    role_id ID NOT NULL,
    object TEXT NOT NULL,
    action TEXT NOT NULL,
    PRIMARY KEY (org_id, role_id, object, action)
);
CREATE TABLE directory_member_roles (
    org_id ID NOT NULL,
    user_id ID NOT NULL,
    role_id ID NOT NULL,
    PRIMARY KEY (org_id, user_id, role_id)
);

-- What ended for a person with an organisation that is no more: the
-- tombstones of their own stream. `of_id` is the organisation (`membership`) or
-- the request (`join_request`).
CREATE TABLE directory_gone (
    user_id ID NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    of_id ID NOT NULL,
    person_rev INT NOT NULL,
    PRIMARY KEY (user_id, kind, of_id)
);
CREATE INDEX directory_gone_rev ON directory_gone (user_id, person_rev);
