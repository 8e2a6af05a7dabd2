-- name: add_key
INSERT INTO api_keys (tenant_id, id, name, secret_hash, scopes, event_id, created_by, created_at, expires_at)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8);

-- name: get_key
SELECT tenant_id AS tenant, id, name, secret_hash, scopes, event_id AS event, created_by, created_at, expires_at, last_used_at,
  revoked_at
FROM api_keys WHERE tenant_id = current_tenant() AND id = $1;

-- name: list_keys
SELECT tenant_id AS tenant, id, name, secret_hash, scopes, event_id AS event, created_by, created_at, expires_at, last_used_at,
  revoked_at
FROM api_keys WHERE tenant_id = current_tenant() AND ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2;

-- name: touch_key
UPDATE api_keys SET last_used_at = $2 WHERE tenant_id = current_tenant() AND id = $1;

-- name: revoke_key
UPDATE api_keys SET revoked_at = $2 WHERE tenant_id = current_tenant() AND id = $1 AND revoked_at IS NULL RETURNING id;

-- name: add_service
INSERT INTO service_callers (tenant_id, name, calls, created_at) VALUES (current_tenant(), $1, $2, $3)
ON CONFLICT DO NOTHING RETURNING name;

-- name: get_service
SELECT name, calls, created_at FROM service_callers WHERE tenant_id = current_tenant() AND name = $1;

-- name: lock_service
SELECT name, calls, created_at FROM service_callers WHERE tenant_id = current_tenant() AND name = $1 FOR UPDATE;

-- name: list_services
SELECT name, calls, created_at FROM service_callers WHERE tenant_id = current_tenant() ORDER BY name;

-- name: consume_nonce
INSERT INTO service_nonces (tenant_id, caller, nonce, ends_at) VALUES (current_tenant(), $1, $2, $3)
ON CONFLICT DO NOTHING RETURNING nonce;

-- name: remove_service
DELETE FROM service_callers WHERE tenant_id = current_tenant() AND name = $1 RETURNING name;

-- name: add_secret
INSERT INTO service_secrets (tenant_id, caller, id, wrapped, created_at) VALUES (current_tenant(), $1, $2, $3, $4);

-- name: secrets
SELECT caller, id, wrapped, created_at, ends_at FROM service_secrets
WHERE tenant_id = current_tenant() AND caller = $1 ORDER BY ends_at IS NOT NULL, created_at DESC, id DESC;

-- name: end_secret
UPDATE service_secrets SET ends_at = least(coalesce(ends_at, $3), $3)
WHERE tenant_id = current_tenant() AND caller = $1 AND id = $2;

-- name: drop_secrets
DELETE FROM service_secrets WHERE tenant_id = current_tenant() AND caller = $1 AND ends_at <= $2;

-- name: foreign_secrets
SELECT caller, id, wrapped, created_at, ends_at FROM service_secrets
WHERE tenant_id = current_tenant() AND encode(substr(wrapped, 2, get_byte(wrapped, 0)), 'escape') <> $1
ORDER BY caller, id LIMIT $2 FOR UPDATE;

-- name: rewrap_secrets
UPDATE service_secrets AS s SET wrapped = one.wrapped
FROM unnest($1::text[], $2::uuid[], $3::bytea[]) AS one (caller, id, wrapped)
WHERE s.tenant_id = current_tenant() AND s.caller = one.caller AND s.id = one.id;

-- name: add_supervisor
INSERT INTO supervisors (tenant_id, id, name, verifier, event_id, gates, created_at)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6);

-- name: get_supervisor
SELECT tenant_id AS tenant, id, name, verifier, event_id AS event, gates, created_at, removed_at
FROM supervisors WHERE tenant_id = current_tenant() AND id = $1;

-- name: list_supervisors
SELECT tenant_id AS tenant, id, name, verifier, event_id AS event, gates, created_at, removed_at
FROM supervisors WHERE tenant_id = current_tenant() AND removed_at IS NULL AND ($1::uuid IS NULL OR id < $1)
ORDER BY id DESC LIMIT $2;

-- name: supervisors_of_event
SELECT tenant_id AS tenant, id, name, verifier, event_id AS event, gates, created_at, removed_at
FROM supervisors WHERE tenant_id = current_tenant() AND removed_at IS NULL AND (event_id IS NULL OR event_id = $1)
ORDER BY name, id LIMIT $2;

-- name: set_verifier
UPDATE supervisors SET verifier = $2 WHERE tenant_id = current_tenant() AND id = $1 AND removed_at IS NULL RETURNING id;

-- name: remove_supervisor
UPDATE supervisors SET removed_at = $2 WHERE tenant_id = current_tenant() AND id = $1 AND removed_at IS NULL RETURNING id;
