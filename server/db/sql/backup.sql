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
