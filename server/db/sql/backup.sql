-- What the superuser looks at before and after a backup is written or read.

-- name: server_version
SELECT current_setting('server_version_num')::integer / 10000;

-- name: sees_everything
-- Anybody else is kept out by the walls between tenants, and would back up an empty database without a word.
SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user;

-- name: tables
SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p');

-- name: tenants
SELECT count(*) FROM tenants;

-- name: refresh_statistics
-- A restored database knows nothing of its own sizes, and would plan its first queries badly.
ANALYZE;

-- name: renew_streams
-- The broker's streams still tell what the backup lacks, under numbers that will be given anew: gates get streams of new names, and the
-- old ones are deleted. The number is one no stream had before, however many there were since the backup: minutes since 2025.
-- A backup older than streams has none; it is migrated afterwards.
DO $$
BEGIN
  UPDATE event_streams SET declared_at = NULL, begun_seq = NULL,
    edition = greatest(edition + 1, (extract(epoch FROM now() - timestamptz '2025-01-01 00:00:00+00') / 60)::integer);
EXCEPTION WHEN undefined_table OR undefined_column THEN
  NULL;
END $$;
