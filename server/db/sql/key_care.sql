-- What is looked at and written by whoever cares for stored keys. A wrapped secret begins with the length of its
-- key-encryption key's id, one byte, and the id.

-- name: count_keks
SELECT kind, encode(substr(wrapped, 2, get_byte(wrapped, 0)), 'escape') AS kek, count(*) AS keys FROM (
  SELECT kind, wrapped FROM tenant_keys WHERE octet_length(wrapped) > 0
  UNION ALL SELECT 'epoch', envelope_wrapped FROM event_epochs
  UNION ALL SELECT 'epoch', issuer_wrapped FROM event_epochs
  UNION ALL SELECT 'replaced', envelope_wrapped FROM replaced_epochs
  UNION ALL SELECT 'service', wrapped FROM service_secrets
) AS stored GROUP BY 1, 2 ORDER BY 1, 2;

-- name: sample_epochs
SELECT event_id AS event, epoch, starts, ends, slot_s, envelope_wrapped, issuer_wrapped, issuer_public FROM event_epochs
WHERE encode(substr(issuer_wrapped, 2, get_byte(issuer_wrapped, 0)), 'escape') = $1
ORDER BY created_at DESC LIMIT 1;

-- name: needs_master
SELECT count(*) AS tickets, 0 AS gates, count(DISTINCT e.id) AS events
FROM ticket_handles AS h JOIN events AS e ON (e.tenant_id, e.id) = (h.tenant_id, h.event_id)
WHERE h.tenant_id = current_tenant() AND h.master_id = $1 AND (e.policy #>> '{window,ends}')::timestamptz > $2;

-- name: needs_config
SELECT 0 AS tickets,
  (SELECT count(*) FROM gates AS g JOIN events AS e ON (e.tenant_id, e.id) = (g.tenant_id, g.event_id)
    WHERE g.tenant_id = current_tenant() AND g.kind = 'device' AND g.revoked_at IS NULL AND g.config_id <= $1
      AND (e.policy #>> '{window,ends}')::timestamptz > $2) AS gates,
  (SELECT count(*) FROM events
    WHERE tenant_id = current_tenant() AND config_id <= $1 AND (policy #>> '{window,ends}')::timestamptz > $2) AS events;

-- name: foreign_keys
SELECT id, kind, wrapped, public FROM tenant_keys
WHERE octet_length(wrapped) > 0 AND encode(substr(wrapped, 2, get_byte(wrapped, 0)), 'escape') <> $1
ORDER BY kind, id LIMIT $2 FOR UPDATE;

-- name: foreign_epochs
SELECT event_id AS event, epoch, starts, ends, slot_s, envelope_wrapped, issuer_wrapped, issuer_public FROM event_epochs
WHERE encode(substr(envelope_wrapped, 2, get_byte(envelope_wrapped, 0)), 'escape') <> $1
  OR encode(substr(issuer_wrapped, 2, get_byte(issuer_wrapped, 0)), 'escape') <> $1
ORDER BY event_id, epoch LIMIT $2 FOR UPDATE;

-- name: foreign_replaced
SELECT id, event_id AS event, epoch, starts, ends, slot_s, envelope_wrapped, issuer_public, accepted_until
FROM replaced_epochs
WHERE encode(substr(envelope_wrapped, 2, get_byte(envelope_wrapped, 0)), 'escape') <> $1
ORDER BY id LIMIT $2 FOR UPDATE;

-- name: rewrap_keys
UPDATE tenant_keys AS k SET wrapped = one.wrapped
FROM unnest($1::text[], $2::integer[], $3::bytea[]) AS one (kind, id, wrapped)
WHERE k.kind = one.kind AND k.id = one.id AND k.retired_at IS NULL;

-- name: rewrap_epochs
UPDATE event_epochs AS e SET envelope_wrapped = one.envelope, issuer_wrapped = one.issuer
FROM unnest($1::uuid[], $2::integer[], $3::bytea[], $4::bytea[]) AS one (event, epoch, envelope, issuer)
WHERE e.event_id = one.event AND e.epoch = one.epoch;

-- name: rewrap_replaced
UPDATE replaced_epochs AS r SET envelope_wrapped = one.envelope
FROM unnest($1::bigint[], $2::bytea[]) AS one (id, envelope)
WHERE r.id = one.id;
