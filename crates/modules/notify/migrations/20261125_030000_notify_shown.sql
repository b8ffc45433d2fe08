-- Which message's text a notice shows that a rung told and can change: when
-- that message is taken back, so is the text. `at` is when the notice was told
-- and names it on the device. `recalled`: the text is to go and has not, since
-- the way did not answer; it goes once the way has taken something again.
CREATE TABLE notify_shown (
    rung_id ID NOT NULL,
    conversation_id ID NOT NULL,
    seq INT NOT NULL,
    at INT NOT NULL,
    recalled BOOL NOT NULL,
    PRIMARY KEY (conversation_id, seq, rung_id, at)
) WITHOUT ROWID;
CREATE INDEX notify_shown_rung ON notify_shown (rung_id, at);
