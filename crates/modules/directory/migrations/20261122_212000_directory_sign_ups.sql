-- Accounts that were made by showing an invitation and have not accepted it
-- yet: each holds one of its uses for a while.
CREATE TABLE directory_sign_ups (
    org_id ID NOT NULL,
    invitation_id ID NOT NULL,
    user_id ID NOT NULL,
    expires_at INT NOT NULL,
    PRIMARY KEY (org_id, invitation_id, user_id)
);
CREATE INDEX directory_sign_ups_expires ON directory_sign_ups (expires_at);
