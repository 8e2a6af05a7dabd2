-- name: add_ticket_type
INSERT INTO ticket_types (
  tenant_id, id, event_id, product, name, price_cents, currency, zones, entries, code_policy, max_per_order,
  total, available, reserved, sold
)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (tenant_id, id) DO NOTHING;

-- name: get_ticket_type
SELECT tenant_id AS tenant, id, event_id AS event, product, name, price_cents, currency, zones, entries, code_policy,
  max_per_order, total, available, reserved, sold, seated, version
FROM ticket_types WHERE id = $1;

-- name: ticket_types_of_event
SELECT tenant_id AS tenant, id, event_id AS event, product, name, price_cents, currency, zones, entries, code_policy,
  max_per_order, total, available, reserved, sold, seated, version
FROM ticket_types WHERE event_id = $1 ORDER BY product;

-- name: ticket_types_of_events
SELECT tenant_id AS tenant, id, event_id AS event, product, name, price_cents, currency, zones, entries, code_policy,
  max_per_order, total, available, reserved, sold, seated, version
FROM ticket_types WHERE tenant_id = current_tenant() AND event_id = ANY ($1::uuid[]) ORDER BY event_id, product;

-- name: lock_ticket_types
-- Everybody locks in the order of ids, so that no two buyers can wait for each other. Not FOR UPDATE: that would wait for the
-- tickets that purchases insert, whose references hold these rows, while those purchases wait for us to count them as sold.
SELECT tenant_id AS tenant, id, event_id AS event, product, name, price_cents, currency, zones, entries, code_policy,
  max_per_order, total, available, reserved, sold, seated, version
FROM ticket_types WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- name: hold_stock
UPDATE ticket_types SET available = available - $2, reserved = reserved + $2 WHERE id = $1;

-- name: release_stock
UPDATE ticket_types SET available = available + $2, reserved = reserved - $2 WHERE id = $1;

-- name: sell_stock
UPDATE ticket_types SET reserved = reserved - $2, sold = sold + $2 WHERE id = $1;

-- name: take_back_stock
-- Without restock the place leaves the sale altogether.
UPDATE ticket_types SET
  sold = sold - $2,
  available = available + CASE WHEN $3::boolean THEN $2 ELSE 0 END,
  total = total - CASE WHEN $3::boolean THEN 0 ELSE $2 END
WHERE id = $1;
