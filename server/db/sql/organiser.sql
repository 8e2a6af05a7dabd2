-- name: change_event
-- $9 says by how much gates must be given new bundles.
UPDATE events SET
  name = $2, state = $3, policy = $4, sale_starts = $5, sale_ends = $6, max_per_user = $7, reveal_at = $8,
  transfer_rules = $10, refund_rules = $11, nft = $12, version = version + 1, bundle_version = bundle_version + $9::bigint
WHERE id = $1;

-- name: list_all_events
SELECT tenant_id AS tenant, id, venue_id, name, state, policy, sale_starts, sale_ends, max_per_user, slot_s,
  epoch_zero, epoch_s, reveal_at, bundle_version, key_series, config_id AS config, config_since,
  version, transfer_rules, refund_rules, nft
FROM events WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2;

-- name: get_tenant
SELECT id, name, created_at FROM tenants;

-- name: change_ticket_type
UPDATE ticket_types SET
  name = $2, price_cents = $3, zones = $4, entries = $5, code_policy = $6, max_per_order = $7, total = $8, available = $9,
  version = version + 1
WHERE id = $1;

-- name: mark_seated
UPDATE ticket_types SET seated = true WHERE id = $1;

-- name: move_stock
-- Between shelves, or onto them: what a counter may not become, the table's own checks refuse.
UPDATE ticket_types SET total = total + $2, available = available + $3, reserved = reserved + $4, sold = sold + $5 WHERE id = $1;

-- name: add_zone
INSERT INTO event_zones (tenant_id, event_id, bit, name) VALUES (current_tenant(), $1, $2, $3)
ON CONFLICT DO NOTHING RETURNING bit;

-- name: rename_zone
UPDATE event_zones SET name = $3 WHERE event_id = $1 AND bit = $2 RETURNING bit;

-- name: zones_of_event
SELECT bit, name FROM event_zones WHERE event_id = $1 ORDER BY bit;

-- name: add_seats
INSERT INTO seats (tenant_id, event_id, ticket_type_id, id, label)
SELECT current_tenant(), $1, $2, one.* FROM unnest($3::uuid[], $4::text[]) AS one
ON CONFLICT (tenant_id, event_id, label) DO NOTHING RETURNING label;

-- name: rename_seat
-- The caller has locked the event, so that no two seats become the same.
UPDATE seats AS s SET label = $3
WHERE s.event_id = $1 AND s.label = $2
  AND NOT EXISTS (SELECT FROM seats AS o WHERE o.tenant_id = s.tenant_id AND o.event_id = $1 AND o.label = $3)
RETURNING s.id;

-- name: drop_seat
DELETE FROM seats WHERE event_id = $1 AND label = $2;

-- name: seats_of_event
SELECT s.id, s.ticket_type_id AS ticket_type, s.label,
  (SELECT t.id FROM tickets AS t
   WHERE t.tenant_id = s.tenant_id AND t.event_id = s.event_id AND t.seat = s.label AND t.seat <> ''
     AND t.ticket_type_id = s.ticket_type_id AND t.state = 'available' LIMIT 1) AS free
FROM seats AS s
WHERE s.event_id = $1 AND ($2::uuid IS NULL OR s.ticket_type_id = $2) AND ($3::uuid IS NULL OR s.id > $3)
ORDER BY s.id LIMIT $4;

-- name: tickets_of_event
SELECT t.tenant_id AS tenant, t.id, t.event_id AS event, t.ticket_type_id AS ticket_type, t.order_id AS "order",
  t.owner_id AS owner, t.holder_name, t.seat, t.state, t.generation, t.version, t.locked, t.valid_from, t.valid_until,
  t.master_id AS master,
  (SELECT m.external_id FROM imported_tickets AS m WHERE m.tenant_id = t.tenant_id AND m.ticket_id = t.id LIMIT 1) AS external_id
FROM tickets AS t
WHERE t.event_id = $1
  AND ($2::text IS NULL OR t.state = $2)
  AND ($3::uuid IS NULL OR t.ticket_type_id = $3)
  AND ($4::uuid IS NULL OR t.owner_id = $4)
  AND ($5::boolean IS NULL OR (t.locked IS NOT NULL) = $5)
  AND ($6::text IS NULL OR t.id = (
    SELECT m.ticket_id FROM imported_tickets AS m WHERE m.tenant_id = t.tenant_id AND m.event_id = $1 AND m.external_id = $6))
  AND ($7::uuid IS NULL OR t.id < $7)
ORDER BY t.id DESC LIMIT $8;

-- name: external_id
SELECT external_id FROM imported_tickets WHERE ticket_id = $1;

-- name: end_offers
UPDATE transfers SET state = 'cancelled', ended_at = $2 WHERE ticket_id = ANY ($1::uuid[]) AND state = 'pending' RETURNING id;
