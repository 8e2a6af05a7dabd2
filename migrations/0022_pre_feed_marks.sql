-- By what a gate and its server find out that they were told different things under the same numbers: the server was set back.

ALTER TABLE feed ADD COLUMN mark bytea CHECK (length(mark) = 16); -- null: numbered before there were marks
ALTER TABLE feed_heads ADD COLUMN mark bytea NOT NULL DEFAULT '\x00000000000000000000000000000000' CHECK (length(mark) = 16);
