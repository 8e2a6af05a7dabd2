-- The gate's own log: written once, never changed. The file is small on purpose, so that a durable commit stays quick.

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
    chain       BLOB NOT NULL CHECK (length(chain) = 32),
    kind        TEXT NOT NULL DEFAULT 'scan' CHECK (kind IN ('scan', 'undo', 'staff'))
) STRICT;
CREATE INDEX own_admissions ON scans (handle_hash) WHERE admitted = 1;
CREATE INDEX own_undos ON scans (handle_hash) WHERE kind = 'undo';
CREATE UNIQUE INDEX own_scans ON scans (scan) WHERE admitted = 1;
CREATE TRIGGER scans_stay_as_written BEFORE UPDATE ON scans
BEGIN SELECT RAISE(ABORT, 'a scan is a fact and is never rewritten'); END;
CREATE TRIGGER scans_stay_on_record BEFORE DELETE ON scans
BEGIN SELECT RAISE(ABORT, 'a scan is a fact and is never deleted'); END;
CREATE TABLE log_state (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    incarnation BLOB NOT NULL CHECK (length(incarnation) = 16),
    acked       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE pin_tries (
    name            TEXT PRIMARY KEY,
    failed          INTEGER NOT NULL,
    locked_until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- "TTgl"
PRAGMA application_id = 1414817644;
PRAGMA user_version = 2;
COMMIT;

-- name: upgrade_to_2
BEGIN IMMEDIATE;
ALTER TABLE scans ADD COLUMN kind TEXT NOT NULL DEFAULT 'scan' CHECK (kind IN ('scan', 'undo', 'staff'));
CREATE INDEX own_undos ON scans (handle_hash) WHERE kind = 'undo';
CREATE UNIQUE INDEX own_scans ON scans (scan) WHERE admitted = 1;
CREATE TABLE pin_tries (
    name            TEXT PRIMARY KEY,
    failed          INTEGER NOT NULL,
    locked_until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 2;
COMMIT;

-- name: start_incarnation
INSERT OR IGNORE INTO log_state (only_row, incarnation) VALUES (1, :incarnation);

-- name: read_state
SELECT incarnation, acked FROM log_state;

-- name: read_head
SELECT gate_seq, hlc, chain FROM scans ORDER BY gate_seq DESC LIMIT 1;

-- name: append_scan
INSERT INTO scans (gate_seq, scan, hlc, at_ms, handle_hash, admitted, direction, body, chain, kind)
VALUES (:gate_seq, :scan, :hlc, :at_ms, :handle_hash, :admitted, :direction, :body, :chain, :kind);

-- name: own_admissions
-- Two partial indices: with OR neither would be used.
SELECT body FROM (
    SELECT gate_seq, body FROM scans WHERE handle_hash = :handle_hash AND admitted = 1
    UNION ALL
    SELECT gate_seq, body FROM scans WHERE handle_hash = :handle_hash AND kind = 'undo'
) ORDER BY gate_seq;

-- name: find_admitted
SELECT body FROM scans WHERE scan = :scan AND admitted = 1;

-- name: last_records
SELECT body FROM scans WHERE gate_seq > (SELECT coalesce(max(gate_seq), 0) FROM scans) - :records ORDER BY gate_seq DESC;

-- name: read_tries
SELECT failed, locked_until_ms FROM pin_tries WHERE name = :name;

-- name: put_tries
INSERT INTO pin_tries (name, failed, locked_until_ms) VALUES (:name, :failed, :locked_until_ms)
ON CONFLICT (name) DO UPDATE SET failed = excluded.failed, locked_until_ms = excluded.locked_until_ms;

-- name: records_between
SELECT gate_seq, body, chain FROM scans WHERE gate_seq > :after AND gate_seq <= :upto ORDER BY gate_seq;

-- name: chain_at
SELECT chain FROM scans WHERE gate_seq = :gate_seq;

-- name: set_acked
UPDATE log_state SET acked = :upto;

-- name: count_scans
SELECT kind, admitted, direction, count(*) FROM scans GROUP BY kind, admitted, direction;

-- name: admitted_scans
SELECT scan FROM scans WHERE admitted = 1 OR kind = 'undo';

-- name: ledger
SELECT body FROM scans WHERE admitted = 1 OR kind = 'undo' ORDER BY gate_seq;

-- name: recent_times
SELECT at_ms FROM scans WHERE gate_seq > (SELECT coalesce(max(gate_seq), 0) FROM scans) - 1000 AND at_ms >= :since_ms
    AND kind = 'scan';
