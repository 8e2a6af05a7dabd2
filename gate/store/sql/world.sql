-- What the gate knows of the event: a copy of the server's, which can be fetched again.

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
    undoes      BLOB,
    PRIMARY KEY (handle_hash, scan)
) STRICT, WITHOUT ROWID;
CREATE TABLE hot_list (
    handle_hash BLOB PRIMARY KEY CHECK (length(handle_hash) = 16),
    seq         INTEGER NOT NULL,
    hot         INTEGER NOT NULL
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
    loaded_chunks INTEGER NOT NULL DEFAULT 0,
    feed_mark     BLOB NOT NULL DEFAULT x'00000000000000000000000000000000',
    doubted       INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO world_state (only_row) VALUES (1);
-- "TTgw"
PRAGMA application_id = 1414817655;
PRAGMA user_version = 4;
COMMIT;

-- name: upgrade_to_2
BEGIN IMMEDIATE;
ALTER TABLE admissions ADD COLUMN undoes BLOB;
PRAGMA user_version = 2;
COMMIT;

-- name: upgrade_to_3
-- What was told so far bears no mark: none is known until the next snapshot.
BEGIN IMMEDIATE;
ALTER TABLE world_state ADD COLUMN feed_mark BLOB NOT NULL DEFAULT x'';
ALTER TABLE world_state ADD COLUMN doubted INTEGER NOT NULL DEFAULT 0;
PRAGMA user_version = 3;
COMMIT;

-- name: upgrade_to_4
BEGIN IMMEDIATE;
CREATE TABLE hot_list (
    handle_hash BLOB PRIMARY KEY CHECK (length(handle_hash) = 16),
    seq         INTEGER NOT NULL,
    hot         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 4;
COMMIT;

-- name: read_state
SELECT feed_seq, complete, confirmed_ms, revoked, feed_mark FROM world_state;

-- name: read_position
SELECT feed_seq, feed_mark FROM world_state;

-- name: set_doubted
UPDATE world_state SET doubted = 1, feed_mark = x'', loading = NULL;

-- name: is_doubted
SELECT doubted FROM world_state;

-- name: set_feed_seq
UPDATE world_state SET feed_seq = :feed_seq, feed_mark = :feed_mark;

-- name: set_confirmed
UPDATE world_state SET complete = 1, confirmed_ms = :confirmed_ms;

-- name: set_revoked
UPDATE world_state SET revoked = 1;

-- name: find_ticket
SELECT EXISTS (SELECT 1 FROM tombstones WHERE tombstones.handle_hash = :handle_hash),
       EXISTS (SELECT 1 FROM hot_list WHERE hot_list.handle_hash = :handle_hash AND hot = 1),
       t.seq, t.version, t.state, t.generation, t.product, t.zones, t.locked, t.entries, t.code_policy,
       t.valid_from_ms, t.valid_until_ms, t.sealed
FROM (SELECT 1) LEFT JOIN tickets AS t ON t.handle_hash = :handle_hash;

-- name: find_admissions
SELECT scan, gate, gate_seq, hlc, at_ms, unsure_ms, direction, proven, feed_seq, online, override, undoes
FROM admissions WHERE handle_hash = :handle_hash;

-- name: all_admissions
SELECT handle_hash, scan, gate, gate_seq, hlc, at_ms, unsure_ms, direction, proven, feed_seq, online, override, undoes
FROM admissions;

-- name: find_numbered
SELECT handle_hash FROM tickets WHERE handle_hash >= :lowest AND handle_hash <= :highest ORDER BY handle_hash LIMIT 5;

-- name: put_ticket
INSERT INTO tickets (handle_hash, seq, version, state, generation, product, zones, locked, entries, code_policy,
                     valid_from_ms, valid_until_ms, sealed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (handle_hash) DO UPDATE SET
    seq = excluded.seq, version = excluded.version, state = excluded.state, generation = excluded.generation,
    product = excluded.product, zones = excluded.zones, locked = excluded.locked, entries = excluded.entries,
    code_policy = excluded.code_policy, valid_from_ms = excluded.valid_from_ms,
    valid_until_ms = excluded.valid_until_ms, sealed = excluded.sealed
WHERE (excluded.version, excluded.seq) > (tickets.version, tickets.seq);

-- name: put_tombstone
INSERT OR IGNORE INTO tombstones (handle_hash, seq, version) VALUES (?, ?, ?);

-- name: knows_admission
SELECT 1 FROM admissions WHERE handle_hash = :handle_hash AND scan = :scan;

-- name: put_admission
INSERT OR IGNORE INTO admissions (handle_hash, scan, gate, gate_seq, hlc, at_ms, unsure_ms, direction, proven, feed_seq,
                                  online, override, undoes)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: put_gate
INSERT INTO gates (gate, seq, name, revoked) VALUES (?, ?, ?, ?)
ON CONFLICT (gate) DO UPDATE SET seq = excluded.seq, name = excluded.name, revoked = excluded.revoked
WHERE excluded.seq > gates.seq;

-- name: put_hot
INSERT INTO hot_list (handle_hash, seq, hot) VALUES (?, ?, ?)
ON CONFLICT (handle_hash) DO UPDATE SET seq = excluded.seq, hot = excluded.hot WHERE excluded.seq >= hot_list.seq;

-- name: keep_hot
-- A snapshot names all that is hot; what it does not name was settled since.
DELETE FROM hot_list WHERE seq <> :feed_seq;

-- name: put_policy
INSERT INTO policies (only_row, version, body) VALUES (1, :version, :body)
ON CONFLICT (only_row) DO UPDATE SET version = excluded.version, body = excluded.body
WHERE excluded.version >= policies.version;

-- name: put_bundle
INSERT INTO bundles (only_row, version, sealed, signature) VALUES (1, :version, :sealed, :signature)
ON CONFLICT (only_row) DO UPDATE SET version = excluded.version, sealed = excluded.sealed, signature = excluded.signature
WHERE excluded.version > bundles.version;

-- name: forget_bundle
DELETE FROM bundles;

-- name: read_gates
SELECT gate, name, revoked FROM gates;

-- name: read_policy
SELECT body FROM policies;

-- name: read_bundle
SELECT sealed, signature FROM bundles;

-- name: count_tickets
SELECT count(*) FROM tickets;

-- name: count_bodies
-- What takes a passage back counts against it.
SELECT gate, sum(CASE WHEN (direction = 'exit') = (undoes IS NULL) THEN -1 ELSE 1 END)
FROM admissions WHERE gate <> :own GROUP BY gate;

-- name: own_bodies
SELECT scan, gate_seq, direction, undoes FROM admissions WHERE gate = :own;

-- name: highest_hlc
SELECT coalesce(max(hlc), 0) FROM admissions;

-- name: read_loading
SELECT loading, loaded_chunks FROM world_state;

-- name: begin_loading
BEGIN IMMEDIATE;
DROP TABLE IF EXISTS tickets_next;
DROP TABLE IF EXISTS tombstones_next;
CREATE TABLE tickets_next (
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
CREATE TABLE tombstones_next (
    handle_hash BLOB PRIMARY KEY CHECK (length(handle_hash) = 16),
    seq         INTEGER NOT NULL,
    version     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
UPDATE world_state SET loading = NULL, loaded_chunks = 0;
COMMIT;

-- name: name_loading
UPDATE world_state SET loading = :loading, loaded_chunks = 0;

-- name: put_next_ticket
INSERT OR REPLACE INTO tickets_next (handle_hash, seq, version, state, generation, product, zones, locked, entries,
                                     code_policy, valid_from_ms, valid_until_ms, sealed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: put_next_tombstone
INSERT OR IGNORE INTO tombstones_next (handle_hash, seq, version) VALUES (?, ?, ?);

-- name: set_loaded
UPDATE world_state SET loaded_chunks = :chunks;

-- name: keep_tombstones
INSERT OR IGNORE INTO tombstones_next (handle_hash, seq, version) SELECT handle_hash, seq, version FROM tombstones;

-- name: drop_tickets
DROP TABLE tickets;

-- name: drop_tombstones
DROP TABLE tombstones;

-- name: swap_tickets
ALTER TABLE tickets_next RENAME TO tickets;

-- name: swap_tombstones
ALTER TABLE tombstones_next RENAME TO tombstones;

-- name: end_loading
UPDATE world_state SET feed_seq = :feed_seq, feed_mark = :feed_mark, doubted = 0, complete = 1, loading = NULL,
    loaded_chunks = 0;
