-- The runner's own bookkeeping: which migrations a database has seen, and what they looked like.

-- name: make_ledger
CREATE TABLE IF NOT EXISTS schema_migrations (
  version    integer PRIMARY KEY CHECK (version > 0),
  name       text NOT NULL,
  checksum   bytea NOT NULL CHECK (octet_length(checksum) = 32),
  applied_at timestamptz NOT NULL DEFAULT now()
);

-- name: lock
-- Of the session, so that it spans the files' transactions. Two starts at once take turns.
SELECT pg_advisory_lock(4711120001);

-- name: unlock
SELECT pg_advisory_unlock(4711120001);

-- name: applied
SELECT version, name, checksum FROM schema_migrations ORDER BY version;

-- name: record
INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3);

-- name: ledger_readers
-- The roles are made by the first migration; what they may know of the ledger is granted after it.
GRANT SELECT ON schema_migrations TO tt_app, tt_worker;
