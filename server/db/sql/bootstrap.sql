-- What the superuser does once per cluster. Names and passwords cannot be parameters of such commands, so each query
-- returns a command that the server itself has quoted.

-- name: owner_command
-- Returns the command that makes the owning role, or brings an existing one to the same state.
SELECT format(
  CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = $1)
    THEN 'ALTER ROLE %I LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD %L'
    ELSE 'CREATE ROLE %I LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD %L'
  END,
  $1::text, $2::text
);

-- name: database_exists
SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1);

-- name: create_database_command
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE %I', $1::text, $2::text, $3::text);

-- name: drop_database_command
-- Open sessions are ended: they belong to tests or to a demo that is over.
SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', $1::text);

-- name: missing_roles
SELECT wanted FROM unnest($1::text[]) AS wanted
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) ORDER BY wanted;

-- name: password_command
SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text);
