-- Since when a member has had the role they have, or a higher one, and who
-- raised them to it; NULL for whoever founded, or was never raised. Getting
-- somebody back into their account asks for it.
ALTER TABLE directory_members ADD COLUMN role_since INT NOT NULL DEFAULT 0;
ALTER TABLE directory_members ADD COLUMN role_by ID;
UPDATE directory_members SET role_since = joined_at;
CREATE INDEX directory_members_leaders ON directory_members (org_id, user_id) WHERE role <> 'member';
