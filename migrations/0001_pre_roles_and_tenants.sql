-- The roles, the way tenant tables are protected, and the tenants themselves.
--
-- tt_owner runs migrations and nothing else. tt_app serves requests: it owns nothing, cannot bypass row-level security and
-- sees the rows of the tenant its transaction names. tt_worker does what crosses tenants (relay, sweepers) with narrow grants.

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tt_app') THEN
    CREATE ROLE tt_app LOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tt_worker') THEN
    CREATE ROLE tt_worker LOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL; -- roles belong to the cluster: another database's first migration was quicker
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO tt_app, tt_worker;

-- An unset setting reads as NULL, one that an earlier transaction set locally as '': both mean no tenant, hence no rows.
CREATE FUNCTION current_tenant() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.tenant', true), '')::uuid;

-- Every table with a tenant's data goes through here. The permissive policy says who may come at all, the restrictive one
-- is the wall; the worker role is bound by its grants instead.
CREATE PROCEDURE protect(target regclass, key text DEFAULT 'tenant_id')
LANGUAGE plpgsql
AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY reachable ON %s TO tt_app, tt_worker, tt_owner USING (true) WITH CHECK (true)', target);
  EXECUTE format(
    'CREATE POLICY own_tenant ON %s AS RESTRICTIVE TO tt_app, tt_owner USING (%I = current_tenant()) WITH CHECK (%I = current_tenant())',
    target, key, key
  );
END
$$;

CREATE TABLE tenants (
  id         uuid PRIMARY KEY,
  name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  created_at timestamptz NOT NULL DEFAULT now()
);
CALL protect('tenants', 'id');
GRANT SELECT, INSERT ON tenants TO tt_app;
GRANT SELECT ON tenants TO tt_worker;
