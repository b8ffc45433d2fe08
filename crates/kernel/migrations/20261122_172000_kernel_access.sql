-- The log of looks at personal things holds changes too, with what was changed
-- and from which session.
ALTER TABLE kernel_access_log ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';
ALTER TABLE kernel_access_log ADD COLUMN session_id ID;
CREATE INDEX kernel_access_log_at ON kernel_access_log (at);
