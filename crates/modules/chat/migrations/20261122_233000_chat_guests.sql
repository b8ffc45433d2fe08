-- Who takes part without being a member of the organisation, and how many in
-- a conversation. NULL in rows of the release before: nobody.
ALTER TABLE chat_members ADD COLUMN guest BOOL;
ALTER TABLE conversations ADD COLUMN guests INT;

-- By which guests come in: into a group, or, without one, each into a
-- conversation of their own with the member who made the link.
CREATE TABLE chat_guest_links (
    org_id ID NOT NULL,
    id ID NOT NULL,
    code TEXT NOT NULL,
    conversation_id ID,
    label TEXT,
    expires_at INT NOT NULL,
    max_uses INT NOT NULL,
    uses INT NOT NULL,
    created_by ID NOT NULL,
    created_at INT NOT NULL,
    revoked_at INT,
    PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
CREATE INDEX chat_guest_links_code ON chat_guest_links (code);
CREATE INDEX chat_guest_links_made ON chat_guest_links (org_id, created_at, id);
