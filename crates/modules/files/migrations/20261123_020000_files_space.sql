-- What a file counts for: at least a block of a disk, and with it the smaller
-- pictures that were made of it. Where there is none, its size counted.
ALTER TABLE files_files ADD COLUMN charged INT;

-- Since when all bytes of a file are there.
ALTER TABLE files_files ADD COLUMN whole_at INT;

-- How many files there are, beside how many bytes: of one person in an
-- organisation, of an organisation, of one person outside of any.
ALTER TABLE files_usage ADD COLUMN files INT NOT NULL DEFAULT 0;
UPDATE files_usage SET files = (SELECT COUNT(*) FROM files_files f WHERE f.state <> 'gone'
    AND f.owner_id = files_usage.user_id AND f.org_id = files_usage.org_id);
--! sqlite
UPDATE files_usage SET files = (SELECT COUNT(*) FROM files_files f WHERE f.state <> 'gone'
    AND f.org_id = files_usage.org_id) WHERE user_id = zeroblob(16);
--! sqlite
UPDATE files_usage SET files = (SELECT COUNT(*) FROM files_files f WHERE f.state <> 'gone'
    AND f.owner_id = files_usage.user_id AND f.org_id IS NULL) WHERE org_id = zeroblob(16);
--! postgres
UPDATE files_usage SET files = (SELECT COUNT(*) FROM files_files f WHERE f.state <> 'gone'
    AND f.org_id = files_usage.org_id) WHERE user_id = '00000000-0000-0000-0000-000000000000';
--! postgres
UPDATE files_usage SET files = (SELECT COUNT(*) FROM files_files f WHERE f.state <> 'gone'
    AND f.owner_id = files_usage.user_id AND f.org_id IS NULL) WHERE org_id = '00000000-0000-0000-0000-000000000000';
