-- name: add_code
INSERT INTO enrolment_codes (tenant_id, code_hash, event_id, gate_name, direction, zones, products, expires_at, for_gate, role)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: take_code
-- One statement: of many who bring the same code at once, the first to lock the row uses it up.
UPDATE enrolment_codes SET used_at = $3, gate_id = coalesce(for_gate, $2)
WHERE tenant_id = current_tenant() AND code_hash = $1 AND used_at IS NULL AND expires_at > $3
RETURNING code_hash, event_id AS event, gate_name, direction, zones, products, expires_at, used_at, gate_id AS gate, for_gate,
  role;

-- name: get_code
SELECT code_hash, event_id AS event, gate_name, direction, zones, products, expires_at, used_at, gate_id AS gate, for_gate,
  role
FROM enrolment_codes WHERE tenant_id = current_tenant() AND code_hash = $1;

-- name: add
INSERT INTO gates (tenant_id, id, event_id, name, direction, zones, products, sign_public, seal_public, software, enrolled_at,
  config_id, role)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: add_server
INSERT INTO gates (tenant_id, id, event_id, name, kind, sign_public, seal_public, software, enrolled_at, config_id)
VALUES (current_tenant(), $1, $2, $3, 'server', $4, $5, $6, $7, $8)
ON CONFLICT DO NOTHING RETURNING id;

-- name: get
SELECT tenant_id AS tenant, id, event_id AS event, name, direction, zones, products, sign_public, seal_public, software,
  enrolled_at, revoked_at, last_seen_at, heartbeat, bundle_version, config_id AS config, links,
  commands, held_since, held_reason, alarm, alarm_at, role
FROM gates WHERE tenant_id = current_tenant() AND id = $1;

-- name: get_all
SELECT tenant_id AS tenant, id, event_id AS event, name, direction, zones, products, sign_public, seal_public, software,
  enrolled_at, revoked_at, last_seen_at, heartbeat, bundle_version, config_id AS config, links,
  commands, held_since, held_reason, alarm, alarm_at
FROM gates WHERE tenant_id = current_tenant() AND id = ANY($1::uuid[]);

-- name: of_event
SELECT tenant_id AS tenant, id, event_id AS event, name, direction, zones, products, sign_public, seal_public, software,
  enrolled_at, revoked_at, last_seen_at, heartbeat, bundle_version, config_id AS config, links,
  commands, held_since, held_reason, alarm, alarm_at, role
FROM gates WHERE tenant_id = current_tenant() AND event_id = $1 ORDER BY enrolled_at, id;

-- name: page_of_event
SELECT tenant_id AS tenant, id, event_id AS event, name, direction, zones, products, sign_public, seal_public, software,
  enrolled_at, revoked_at, last_seen_at, heartbeat, bundle_version, config_id AS config, links,
  commands, held_since, held_reason, alarm, alarm_at, role
FROM gates AS g
WHERE g.tenant_id = current_tenant() AND g.event_id = $1
  AND ($2::uuid IS NULL OR (g.enrolled_at, g.id) > (
    SELECT o.enrolled_at, o.id FROM gates AS o WHERE o.tenant_id = current_tenant() AND o.id = $2))
ORDER BY g.enrolled_at, g.id LIMIT $3;

-- name: revoke
UPDATE gates SET revoked_at = $2 WHERE tenant_id = current_tenant() AND id = $1 AND revoked_at IS NULL RETURNING id;

-- name: beat
UPDATE gates SET heartbeat = $2, last_seen_at = $3 WHERE tenant_id = current_tenant() AND id = $1;

-- name: greet
UPDATE gates SET software = $2, last_seen_at = $3, links = links + 1 WHERE tenant_id = current_tenant() AND id = $1
RETURNING links;

-- name: set_bundle_version
UPDATE gates SET bundle_version = greatest(bundle_version, $2) WHERE tenant_id = current_tenant() AND id = $1;

-- name: believe
UPDATE gates SET config_id = greatest(config_id, $2) WHERE tenant_id = current_tenant() AND id = $1;

-- name: change
UPDATE gates SET name = $2, direction = $3, zones = $4, products = $5, role = $6 WHERE tenant_id = current_tenant() AND id = $1;

-- name: hold
UPDATE gates SET held_reason = $2, held_since = $3 WHERE tenant_id = current_tenant() AND id = $1;

-- name: lock
SELECT tenant_id AS tenant, id, event_id AS event, name, direction, zones, products, sign_public, seal_public, software,
  enrolled_at, revoked_at, last_seen_at, heartbeat, bundle_version, config_id AS config, links,
  commands, held_since, held_reason, alarm, alarm_at, role
FROM gates WHERE tenant_id = current_tenant() AND id = $1 FOR NO KEY UPDATE;

-- name: replace_host
-- Another machine: nothing the older one said of itself holds, and its links are over.
UPDATE gates SET sign_public = $2, seal_public = $3, software = $4, enrolled_at = $5, config_id = $6, links = links + 1,
  heartbeat = NULL, last_seen_at = NULL, bundle_version = 0, alarm = NULL, alarm_at = NULL
WHERE tenant_id = current_tenant() AND id = $1;

-- name: raise_alarm
UPDATE gates SET alarm = $2, alarm_at = $3 WHERE tenant_id = current_tenant() AND id = $1;
