-- name: head
SELECT coalesce((SELECT seq FROM feed_heads WHERE tenant_id = current_tenant() AND event_id = $1), 0);

-- name: mark_at
-- The head's is kept beside it: what is below may have been trimmed. Null where it is not known.
SELECT coalesce(
  (SELECT mark FROM feed WHERE tenant_id = current_tenant() AND event_id = $1 AND seq = $2),
  (SELECT mark FROM feed_heads WHERE tenant_id = current_tenant() AND event_id = $1 AND seq = $2));

-- name: oldest
SELECT min(seq) FROM feed WHERE tenant_id = current_tenant() AND event_id = $1;

-- name: after
SELECT body FROM feed WHERE tenant_id = current_tenant() AND event_id = $1 AND seq > $2 ORDER BY seq LIMIT $3;

-- name: newest_snapshot
SELECT id, seq, manifest FROM feed_snapshots
WHERE tenant_id = current_tenant() AND event_id = $1 ORDER BY seq DESC, created_at DESC LIMIT 1;

-- name: add_chunk
INSERT INTO feed_snapshot_chunks (tenant_id, snapshot_id, n, body) VALUES (current_tenant(), $1, $2, $3);

-- name: add_snapshot
INSERT INTO feed_snapshots (tenant_id, event_id, id, seq, manifest, created_at)
VALUES (current_tenant(), $1, $2, $3, $4, $5);

-- name: chunk
SELECT c.body FROM feed_snapshot_chunks AS c
JOIN feed_snapshots AS s ON (s.tenant_id, s.id) = (c.tenant_id, c.snapshot_id)
WHERE c.tenant_id = current_tenant() AND s.event_id = $1 AND c.snapshot_id = $2 AND c.n = $3;

-- name: drop_snapshots
DELETE FROM feed_snapshots WHERE tenant_id = current_tenant() AND event_id = $1 AND created_at < $2 RETURNING id;

-- name: world_tickets
-- Only tickets somebody may have a code for.
SELECT tenant_id AS tenant, id, event_id AS event, ticket_type_id AS ticket_type, order_id AS "order", owner_id AS owner,
  holder_name, seat, state, generation, version, locked, valid_from, valid_until, master_id AS master
FROM tickets
WHERE tenant_id = current_tenant() AND event_id = $1 AND state NOT IN ('available', 'reserved');

-- name: world_tombstones
SELECT h.handle_hash, t.version
FROM ticket_handles AS h JOIN tickets AS t ON (t.tenant_id, t.id) = (h.tenant_id, h.ticket_id)
WHERE h.tenant_id = current_tenant() AND h.event_id = $1 AND h.generation < t.generation;

-- name: world_admissions
SELECT gate_id AS gate, proven, body
FROM scans
WHERE tenant_id = current_tenant() AND event_id = $1 AND ticket_id IS NOT NULL AND (admitted OR reason = 'undone');

-- name: ticket_types
SELECT tenant_id AS tenant, id, event_id AS event, product, name, price_cents, currency, zones, entries, code_policy,
  max_per_order, total, available, reserved, sold, seated, version
FROM ticket_types WHERE tenant_id = current_tenant() AND event_id = $1;
