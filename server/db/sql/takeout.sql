-- Everything of one tenant, to take along; row-level security leaves nothing else to be seen.

-- name: tables
-- What the serving role may not read is the workers' own transport, such as transactions on their way to a chain.
SELECT relation.relname AS name
FROM pg_class AS relation
WHERE relation.relnamespace = 'public'::regnamespace AND relation.relkind IN ('r', 'p')
  AND (relation.relname = 'tenants' OR EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = relation.oid AND attname = 'tenant_id' AND NOT attisdropped
  )) AND has_table_privilege(relation.oid, 'SELECT')
ORDER BY relation.relname;

-- name: read_command
-- Returns the command that reads one table. What opens something is left out: keys (wrapped ones too), and what passwords,
-- PINs, codes and secrets are checked against. So are whole rows of transport that say nothing the tables do not.
SELECT format(
  'SELECT (to_jsonb(row) - ARRAY[%s])::text AS line FROM %I AS row',
  array_to_string(ARRAY(
    SELECT quote_literal(attname) FROM pg_attribute
    WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped
      AND attname ~ '(wrapped|secret|verifier|password|code_hash|seed|response)'
    UNION ALL SELECT quote_literal('')
  ), ', '),
  $1
);
