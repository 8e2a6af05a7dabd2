-- The first schema of this file, as gates in the field may still have it.

-- name: create_schema
BEGIN IMMEDIATE;
CREATE TABLE scans (
    gate_seq    INTEGER PRIMARY KEY CHECK (gate_seq > 0),
    scan        BLOB NOT NULL CHECK (length(scan) = 16),
    hlc         INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    handle_hash BLOB,
    admitted    INTEGER NOT NULL CHECK (admitted IN (0, 1)),
    direction   TEXT NOT NULL,
    body        BLOB NOT NULL,
    chain       BLOB NOT NULL CHECK (length(chain) = 32)
) STRICT;
CREATE INDEX own_admissions ON scans (handle_hash) WHERE admitted = 1;
CREATE TRIGGER scans_stay_as_written BEFORE UPDATE ON scans
BEGIN SELECT RAISE(ABORT, 'a scan is a fact and is never rewritten'); END;
CREATE TRIGGER scans_stay_on_record BEFORE DELETE ON scans
BEGIN SELECT RAISE(ABORT, 'a scan is a fact and is never deleted'); END;
CREATE TABLE log_state (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    incarnation BLOB NOT NULL CHECK (length(incarnation) = 16),
    acked       INTEGER NOT NULL DEFAULT 0
) STRICT;
-- "TTgl"
PRAGMA application_id = 1414817644;
PRAGMA user_version = 1;
COMMIT;
