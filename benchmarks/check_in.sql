-- The least a check-in is to PostgreSQL: one tenant's transaction under row-level security that locks a ticket, takes a step with it
-- and writes that down.
BEGIN;
SELECT set_config('app.tenant', '{tenant}', true);
SELECT state, version FROM tickets WHERE tenant_id = current_tenant() AND id = '{ticket}' FOR UPDATE;
UPDATE tickets SET version = version + 1, updated_at = now() WHERE id = '{ticket}';
INSERT INTO ticket_history (
  tenant_id, ticket_id, version, from_state, to_state, generation, actor_kind, actor_id, source, at
)
SELECT tenant_id, id, version, state, state, generation, 'system', 'pgbench', 'pgbench', now()
FROM tickets WHERE id = '{ticket}';
COMMIT;
