-- The session that let a device in: where it has ended, so has the link.
ALTER TABLE identity_sign_in_links ADD COLUMN session_id ID;
