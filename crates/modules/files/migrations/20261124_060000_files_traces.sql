-- Whether what a camera wrote into a picture or a film may stand in it still.
-- Where it is not said, nobody looked, which older servers did of small
-- pictures only.
ALTER TABLE files_files ADD COLUMN traces BOOL;
