-- What every database of the gate is opened with.

-- name: set_wal
PRAGMA journal_mode = WAL;

-- name: set_full
-- A scan is answered only once it would survive a power cut.
PRAGMA synchronous = FULL;

-- name: set_journal_limit
-- A log that grew while a snapshot was loaded gives its space back.
PRAGMA journal_size_limit = 16777216;

-- name: read_version
SELECT (SELECT application_id FROM pragma_application_id),
       (SELECT user_version FROM pragma_user_version),
       (SELECT count(*) FROM sqlite_master);

-- name: check_quickly
PRAGMA quick_check(1);

-- name: begin
BEGIN IMMEDIATE;

-- name: commit
COMMIT;
