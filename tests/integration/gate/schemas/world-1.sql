-- The first schema of this file, as gates in the field may still have it.

-- name: create_schema
BEGIN IMMEDIATE;
CREATE TABLE tickets (
    handle_hash    BLOB PRIMARY KEY CHECK (length(handle_hash) = 16),
    seq            INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    state          TEXT NOT NULL,
    generation     INTEGER NOT NULL,
    product        INTEGER NOT NULL,
    zones          INTEGER NOT NULL,
    locked         INTEGER NOT NULL,
    entries        INTEGER NOT NULL,
    code_policy    INTEGER NOT NULL,
    valid_from_ms  INTEGER,
    valid_until_ms INTEGER,
    sealed         BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE tombstones (
    handle_hash BLOB PRIMARY KEY CHECK (length(handle_hash) = 16),
    seq         INTEGER NOT NULL,
    version     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE admissions (
    handle_hash BLOB NOT NULL CHECK (length(handle_hash) = 16),
    scan        BLOB NOT NULL CHECK (length(scan) = 16),
    gate        BLOB NOT NULL,
    gate_seq    INTEGER NOT NULL,
    hlc         INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    unsure_ms   INTEGER NOT NULL,
    direction   TEXT NOT NULL,
    proven      INTEGER NOT NULL,
    feed_seq    INTEGER NOT NULL,
    online      INTEGER NOT NULL,
    override    INTEGER NOT NULL,
    PRIMARY KEY (handle_hash, scan)
) STRICT, WITHOUT ROWID;
CREATE TABLE gates (
    gate    BLOB PRIMARY KEY CHECK (length(gate) = 16),
    seq     INTEGER NOT NULL,
    name    TEXT NOT NULL,
    revoked INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE policies (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    version  INTEGER NOT NULL,
    body     BLOB NOT NULL
) STRICT;
CREATE TABLE bundles (
    only_row  INTEGER PRIMARY KEY CHECK (only_row = 1),
    version   INTEGER NOT NULL,
    sealed    BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;
CREATE TABLE world_state (
    only_row      INTEGER PRIMARY KEY CHECK (only_row = 1),
    feed_seq      INTEGER NOT NULL DEFAULT 0,
    complete      INTEGER NOT NULL DEFAULT 0,
    confirmed_ms  INTEGER,
    revoked       INTEGER NOT NULL DEFAULT 0,
    loading       TEXT,
    loaded_chunks INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO world_state (only_row) VALUES (1);
-- "TTgw"
PRAGMA application_id = 1414817655;
PRAGMA user_version = 1;
COMMIT;
