-- name: add_staff
-- Of a name taken by another tenant the row cannot be seen, and the conflict is all that is told.
INSERT INTO staff_accounts (tenant_id, id, login, name, role, verifier, created_at)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id;

-- name: get_staff
SELECT tenant_id AS tenant, id, login, name, role, verifier, created_at, disabled_at
FROM staff_accounts WHERE tenant_id = current_tenant() AND id = $1;

-- name: list_staff
SELECT tenant_id AS tenant, id, login, name, role, verifier, created_at, disabled_at
FROM staff_accounts WHERE tenant_id = current_tenant() ORDER BY login;

-- name: set_verifier
UPDATE staff_accounts SET verifier = $2 WHERE tenant_id = current_tenant() AND id = $1;

-- name: disable
UPDATE staff_accounts SET disabled_at = $2 WHERE tenant_id = current_tenant() AND id = $1 AND disabled_at IS NULL;

-- name: enable
UPDATE staff_accounts SET disabled_at = NULL WHERE tenant_id = current_tenant() AND id = $1;

-- name: open_session
INSERT INTO staff_sessions (tenant_id, id, staff_id, secret_hash, agent, created_at, seen_at, expires_at)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7);

-- name: session
SELECT tenant_id AS tenant, id, staff_id AS staff, secret_hash, agent, created_at, seen_at, expires_at, ended_at
FROM staff_sessions WHERE tenant_id = current_tenant() AND id = $1;

-- name: sessions_of
SELECT tenant_id AS tenant, id, staff_id AS staff, secret_hash, agent, created_at, seen_at, expires_at, ended_at
FROM staff_sessions
WHERE tenant_id = current_tenant() AND staff_id = $1 AND ended_at IS NULL AND expires_at > $2
ORDER BY created_at DESC, id DESC;

-- name: see
UPDATE staff_sessions SET seen_at = greatest(seen_at, $2) WHERE tenant_id = current_tenant() AND id = $1;

-- name: end_session
UPDATE staff_sessions SET ended_at = $3
WHERE tenant_id = current_tenant() AND staff_id = $1 AND id = $2 AND ended_at IS NULL RETURNING id;

-- name: end_all
UPDATE staff_sessions SET ended_at = $2 WHERE tenant_id = current_tenant() AND staff_id = $1 AND ended_at IS NULL;

-- name: add_entry
-- A token may name a tenant that was never made: there is nothing to be done then, and nothing to note.
INSERT INTO audit_log (tenant_id, id, at, actor_id, actor_name, action, subject, event_id, detail, outcome, via, trace)
SELECT id, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM tenants WHERE id = current_tenant();

-- name: complete_entry
UPDATE audit_log SET outcome = $2 WHERE tenant_id = current_tenant() AND id = $1 AND outcome IS NULL;

-- name: list_entries
SELECT tenant_id AS tenant, id, at, actor_id, actor_name, action, subject, event_id AS event, detail, outcome, via, trace
FROM audit_log
WHERE tenant_id = current_tenant() AND ($1::uuid IS NULL OR event_id = $1) AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC LIMIT $3;
