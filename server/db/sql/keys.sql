-- name: get_key
SELECT id, kind, wrapped, public FROM tenant_keys
WHERE kind = $1 AND retired_at IS NULL ORDER BY id DESC LIMIT 1;

-- name: add_key
-- Waits for a transaction that is making the same key, and then keeps that one.
INSERT INTO tenant_keys (tenant_id, id, kind, wrapped, public) VALUES (current_tenant(), $1, $2, $3, $4)
ON CONFLICT (tenant_id, kind, id) DO NOTHING;

-- name: get_epochs
SELECT event_id AS event, epoch, starts, ends, slot_s, envelope_wrapped, issuer_wrapped, issuer_public
FROM event_epochs WHERE event_id = $1 AND epoch BETWEEN $2 AND $3 ORDER BY epoch;

-- name: add_epochs
INSERT INTO event_epochs (
  tenant_id, event_id, epoch, starts, ends, slot_s, envelope_wrapped, issuer_wrapped, issuer_public
)
SELECT current_tenant(), one.* FROM unnest(
  $1::uuid[], $2::integer[], $3::timestamptz[], $4::timestamptz[], $5::smallint[], $6::bytea[], $7::bytea[], $8::bytea[]
) AS one
ON CONFLICT (tenant_id, event_id, epoch) DO NOTHING;
