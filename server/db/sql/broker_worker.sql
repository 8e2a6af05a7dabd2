-- What keeps the broker in line with the database, as tt_worker.

-- name: lead
SELECT pg_try_advisory_lock(hashtextextended('tickettoken.gate_broker', 0));

-- name: accounts
-- Everything that should or should not be at the broker.
SELECT a.tenant_id AS tenant, a.gate_id AS gate, g.event_id AS event, a.password_hash, a.applied_hash, a.applied_event_id AS applied_event,
  g.revoked_at IS NOT NULL AS revoked, a.removed_at IS NOT NULL AS removed,
  coalesce(s.edition, 0) AS edition
FROM broker_accounts a JOIN gates g ON g.tenant_id = a.tenant_id AND g.id = a.gate_id
LEFT JOIN event_streams s ON s.tenant_id = g.tenant_id AND s.event_id = g.event_id
ORDER BY a.tenant_id, a.gate_id;

-- name: mark_applied
UPDATE broker_accounts SET applied_hash = $3, applied_event_id = $4 WHERE tenant_id = $1 AND gate_id = $2;

-- name: mark_removed
UPDATE broker_accounts SET removed_at = $3, applied_hash = NULL, applied_event_id = NULL WHERE tenant_id = $1 AND gate_id = $2;

-- name: streams
SELECT tenant_id AS tenant, event_id AS event, declared_at, begun_seq, published, snapshot_id AS snapshot, snapshot_seq, snapshot_at,
  edition
FROM event_streams ORDER BY tenant_id, event_id;

-- name: due_streams
-- Streams that lack entries, or have none yet, or whose snapshot is from before the doors opened.
SELECT s.tenant_id AS tenant, s.event_id AS event, s.declared_at, s.begun_seq, s.published, s.snapshot_id AS snapshot, s.snapshot_seq,
  s.snapshot_at, s.edition, (e.policy #>> '{window,doors}')::timestamptz AS doors
FROM event_streams s
JOIN events e ON e.tenant_id = s.tenant_id AND e.id = s.event_id
LEFT JOIN feed_heads h ON h.tenant_id = s.tenant_id AND h.event_id = s.event_id
WHERE s.declared_at IS NOT NULL AND (
  s.begun_seq IS NULL OR coalesce(h.seq, 0) > s.published
  OR ((e.policy #>> '{window,doors}')::timestamptz BETWEEN s.snapshot_at AND $1::timestamptz)
)
ORDER BY s.tenant_id, s.event_id;

-- name: mark_declared
UPDATE event_streams SET declared_at = $3, begun_seq = NULL WHERE tenant_id = $1 AND event_id = $2;

-- name: mark_lost
UPDATE event_streams SET declared_at = NULL WHERE tenant_id = $1 AND event_id = $2;

-- name: mark_broken
-- The broker has the stream but cannot start it, nor let go of its name: the next one has a name of its own.
UPDATE event_streams SET declared_at = NULL, edition = edition + 1 WHERE tenant_id = $1 AND event_id = $2;

-- name: mark_published
UPDATE event_streams SET published = $3 WHERE tenant_id = $1 AND event_id = $2;

-- name: mark_snapshot
-- What the snapshot does not stand for is published again after it, so that one who begins there needs nothing else.
UPDATE event_streams SET snapshot_id = $3, snapshot_seq = $4, snapshot_at = $5, begun_seq = coalesce(begun_seq, $4),
  published = $4
WHERE tenant_id = $1 AND event_id = $2;

-- name: still_there
SELECT 1;
