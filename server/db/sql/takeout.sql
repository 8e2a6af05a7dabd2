-- Everything of one tenant, to take along; row-level security leaves nothing else to be seen.

-- name: tables
-- By the catalogue: a table that comes to be is taken along, and one that the serving role may read nothing of fails the export.
SELECT relation.relname AS name
FROM pg_class AS relation
WHERE relation.relnamespace = 'public'::regnamespace AND relation.relkind IN ('r', 'p')
  AND (relation.relname = 'tenants' OR EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = relation.oid AND attname = 'tenant_id' AND NOT attisdropped
  ))
ORDER BY relation.relname;

-- name: read_command
-- Returns the command that reads one table. What opens something is left out: keys (wrapped ones too), and what passwords,
-- PINs, codes and secrets are checked against. So are columns of the workers' own transport that say nothing the rest does not,
-- which the serving role may not read: signed transactions as they are sent, and what they are signed under.
SELECT format(
  'SELECT to_jsonb(row)::text AS line FROM (SELECT %s FROM %I) AS row',
  coalesce(string_agg(quote_ident(attname), ', ' ORDER BY attnum), '*'),
  $1::text
)
FROM pg_attribute
WHERE attrelid = to_regclass(quote_ident($1::text)) AND attnum > 0 AND NOT attisdropped
  AND attname !~ '(wrapped|secret|verifier|password|code_hash|seed|response)'
  AND has_column_privilege(attrelid, attnum, 'SELECT');
