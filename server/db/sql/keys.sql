-- name: get_key
SELECT id, kind, wrapped, public FROM tenant_keys
WHERE kind = $1 AND retired_at IS NULL ORDER BY id DESC LIMIT 1;

-- name: list_keys
SELECT id, kind, wrapped, public FROM tenant_keys WHERE kind = $1 AND retired_at IS NULL ORDER BY id;

-- name: add_key
-- Waits for a transaction that is making the same key, and then keeps that one.
INSERT INTO tenant_keys (tenant_id, id, kind, wrapped, public) VALUES (current_tenant(), $1, $2, $3, $4)
ON CONFLICT (tenant_id, kind, id) DO NOTHING;

-- name: erase_key
UPDATE tenant_keys SET retired_at = $3, wrapped = '' WHERE kind = $1 AND id = $2 AND retired_at IS NULL RETURNING id;

-- name: get_epochs
SELECT event_id AS event, epoch, starts, ends, slot_s, envelope_wrapped, issuer_wrapped, issuer_public
FROM event_epochs WHERE event_id = $1 AND epoch BETWEEN $2 AND $3 ORDER BY epoch;

-- name: hold_event
-- Whoever replaces keys changes the event's row: nobody makes epochs in between that would escape the replacement.
SELECT id FROM events WHERE id = $1 FOR SHARE;

-- name: add_epochs
INSERT INTO event_epochs (
  tenant_id, event_id, epoch, starts, ends, slot_s, envelope_wrapped, issuer_wrapped, issuer_public
)
SELECT current_tenant(), one.* FROM unnest(
  $1::uuid[], $2::integer[], $3::timestamptz[], $4::timestamptz[], $5::smallint[], $6::bytea[], $7::bytea[], $8::bytea[]
) AS one
ON CONFLICT (tenant_id, event_id, epoch) DO NOTHING;

-- name: keep_replaced
INSERT INTO replaced_epochs (
  tenant_id, event_id, epoch, starts, ends, slot_s, envelope_wrapped, issuer_public, accepted_until, replaced_at
)
SELECT current_tenant(), event_id, epoch, starts, ends, slot_s, envelope_wrapped, issuer_public, $3, $4
FROM event_epochs WHERE event_id = $1 AND epoch = ANY($2::integer[]);

-- name: renew_epochs
UPDATE event_epochs AS e
SET envelope_wrapped = one.envelope, issuer_wrapped = one.issuer, issuer_public = one.public
FROM unnest($2::integer[], $3::bytea[], $4::bytea[], $5::bytea[]) AS one (epoch, envelope, issuer, public)
WHERE e.event_id = $1 AND e.epoch = one.epoch;

-- name: limit_replaced
UPDATE replaced_epochs SET accepted_until = $3
WHERE event_id = $1 AND epoch = ANY($2::integer[]) AND (accepted_until IS NULL OR accepted_until > $3);

-- name: get_replaced
SELECT id, event_id AS event, epoch, starts, ends, slot_s, envelope_wrapped, issuer_public, accepted_until
FROM replaced_epochs WHERE event_id = $1 AND epoch = ANY($2::integer[]) ORDER BY id DESC;
