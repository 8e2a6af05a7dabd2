-- What must be true of the database before a request is served.

-- name: role
-- Membership in the owner of any table is as good as owning it; a superuser is a member of everybody.
SELECT current_user AS name, rolsuper AS is_superuser, rolbypassrls AS bypasses, EXISTS (
  SELECT FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND pg_has_role(current_user, relowner, 'MEMBER')
) AS owns
FROM pg_roles WHERE rolname = current_user;

-- name: open_tables
-- Tables with tenants' rows that lack forced row-level security, or the one restrictive policy that compares with the
-- transaction's tenant in both directions.
SELECT relation.relname AS name
FROM pg_class AS relation
WHERE relation.relnamespace = 'public'::regnamespace
  AND relation.relkind IN ('r', 'p')
  AND (relation.relname = 'tenants' OR EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = relation.oid AND attname = 'tenant_id' AND NOT attisdropped
  ))
  AND NOT (relation.relrowsecurity AND relation.relforcerowsecurity AND EXISTS (
    SELECT FROM pg_policy AS wall
    WHERE wall.polrelid = relation.oid AND NOT wall.polpermissive AND wall.polcmd = '*'
      AND wall.polroles @> ARRAY[(SELECT oid FROM pg_roles WHERE rolname = 'tt_app')]
      AND pg_get_expr(wall.polqual, wall.polrelid) ~ '^\((tenant_)?id = current_tenant\(\)\)$'
      AND pg_get_expr(wall.polwithcheck, wall.polrelid) ~ '^\((tenant_)?id = current_tenant\(\)\)$'
  ))
ORDER BY relation.relname;

-- name: tenant_tables
SELECT relation.relname AS name
FROM pg_class AS relation
WHERE relation.relnamespace = 'public'::regnamespace
  AND relation.relkind IN ('r', 'p')
  AND (relation.relname = 'tenants' OR EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = relation.oid AND attname = 'tenant_id' AND NOT attisdropped
  ))
ORDER BY relation.relname;

-- name: version
SELECT current_setting('server_version');
