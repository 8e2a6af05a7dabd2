-- name: add_tenant
INSERT INTO tenants (id, name) VALUES (current_tenant(), $1) ON CONFLICT (id) DO NOTHING;

-- name: add_venue
INSERT INTO venues (tenant_id, id, name) VALUES (current_tenant(), $1, $2) ON CONFLICT (tenant_id, id) DO NOTHING;

-- name: add_event
INSERT INTO events (
  tenant_id, id, venue_id, name, state, policy, sale_starts, sale_ends, max_per_user, slot_s, epoch_zero, epoch_s, reveal_at,
  config_id
)
VALUES (
  current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
  -- gates of a new event are enrolled with the newest key and need not be told of it
  (SELECT coalesce(max(id), 1) FROM tenant_keys WHERE tenant_id = current_tenant() AND kind = 'config' AND retired_at IS NULL)
)
ON CONFLICT (tenant_id, id) DO NOTHING
RETURNING id;

-- name: get_event
SELECT tenant_id AS tenant, id, venue_id, name, state, policy, sale_starts, sale_ends, max_per_user, slot_s,
  epoch_zero, epoch_s, reveal_at, bundle_version, key_series, config_id AS config, config_since,
  version, transfer_rules, refund_rules, nft
FROM events WHERE id = $1;

-- name: list_public_events
SELECT tenant_id AS tenant, id, venue_id, name, state, policy, sale_starts, sale_ends, max_per_user, slot_s,
  epoch_zero, epoch_s, reveal_at, bundle_version, key_series, config_id AS config, config_since,
  version, transfer_rules, refund_rules, nft
FROM events
WHERE state <> 'draft' AND ($1::uuid IS NULL OR id < $1)
ORDER BY id DESC LIMIT $2;

-- name: raise_bundle_version
UPDATE events SET bundle_version = bundle_version + 1 WHERE id = $1 RETURNING bundle_version;

-- name: lock_event
-- Against others who replace keys or raise versions, and against whoever makes epoch keys meanwhile.
SELECT id FROM events WHERE id = $1 FOR NO KEY UPDATE;

-- name: get_event_state
SELECT state FROM events WHERE id = $1;

-- name: hold_event_standing
-- Whoever closes or cancels an event waits for sales that are under way, and sales after it see that it is closed.
SELECT state, nft FROM events WHERE id = $1 FOR SHARE;

-- name: raise_key_series
UPDATE events SET key_series = key_series + 1, bundle_version = bundle_version + 1 WHERE id = $1;

-- name: announce_config
-- The version counts up in the same statement: from it on, every bundle bears the announcement.
UPDATE events SET config_id = $1, config_since = bundle_version + 1, bundle_version = bundle_version + 1 WHERE config_id < $1;

-- name: list_events
SELECT tenant_id AS tenant, id, venue_id, name, state, policy, sale_starts, sale_ends, max_per_user, slot_s,
  epoch_zero, epoch_s, reveal_at, bundle_version, key_series, config_id AS config, config_since,
  version, transfer_rules, refund_rules, nft
FROM events WHERE $1::uuid IS NULL OR id = $1 ORDER BY id;
