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

-- name: start_incarnation
INSERT OR IGNORE INTO log_state (only_row, incarnation) VALUES (1, :incarnation);

-- name: read_state
SELECT incarnation, acked FROM log_state;

-- name: read_head
SELECT gate_seq, hlc, chain FROM scans ORDER BY gate_seq DESC LIMIT 1;

-- name: append_scan
INSERT INTO scans (gate_seq, scan, hlc, at_ms, handle_hash, admitted, direction, body, chain)
VALUES (:gate_seq, :scan, :hlc, :at_ms, :handle_hash, :admitted, :direction, :body, :chain);

-- name: own_admissions
SELECT body FROM scans WHERE handle_hash = :handle_hash AND admitted = 1 ORDER BY gate_seq;

-- name: records_between
SELECT gate_seq, body, chain FROM scans WHERE gate_seq > :after AND gate_seq <= :upto ORDER BY gate_seq;

-- name: chain_at
SELECT chain FROM scans WHERE gate_seq = :gate_seq;

-- name: set_acked
UPDATE log_state SET acked = :upto;

-- name: count_scans
SELECT admitted, direction, count(*) FROM scans GROUP BY admitted, direction;

-- name: admitted_scans
SELECT scan FROM scans WHERE admitted = 1;

-- name: recent_times
SELECT at_ms FROM scans WHERE gate_seq > (SELECT coalesce(max(gate_seq), 0) FROM scans) - 1000 AND at_ms >= :since_ms;
