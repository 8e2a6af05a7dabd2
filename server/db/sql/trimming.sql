-- What every gate has, or nobody asks for any more, is taken out of the feeds; the worker does it across tenants.

-- name: trimmable
-- $1: entries numbered before are old. A gate that never said how far it is counts as being at the beginning.
SELECT h.tenant_id AS tenant, h.event_id AS event, coalesce(least(snapshot.seq, behind.seq), 0) AS passed
FROM feed_heads AS h
CROSS JOIN LATERAL (
  SELECT seq, created_at FROM feed AS f
  WHERE f.tenant_id = h.tenant_id AND f.event_id = h.event_id ORDER BY seq LIMIT 1) AS oldest
CROSS JOIN LATERAL (
  SELECT coalesce(max(s.seq), 0) AS seq FROM feed_snapshots AS s
  WHERE s.tenant_id = h.tenant_id AND s.event_id = h.event_id) AS snapshot
CROSS JOIN LATERAL (
  SELECT min(coalesce((g.heartbeat ->> 'feed_seq')::bigint, 0)) AS seq FROM gates AS g
  WHERE g.tenant_id = h.tenant_id AND g.event_id = h.event_id AND g.kind = 'device' AND g.revoked_at IS NULL) AS behind
LEFT JOIN event_streams AS e ON (e.tenant_id, e.event_id) = (h.tenant_id, h.event_id)
WHERE (oldest.seq <= least(snapshot.seq, behind.seq) OR oldest.created_at < $1)
  AND oldest.seq <= coalesce(e.published, oldest.seq)
ORDER BY h.tenant_id, h.event_id LIMIT $2;

-- name: trim
-- The oldest few of one event: what is passed ($3) or old ($4), and in the broker's stream where there is one.
WITH first AS (
  SELECT f.seq, f.created_at FROM feed AS f WHERE f.tenant_id = $1 AND f.event_id = $2 ORDER BY f.seq LIMIT $5
)
DELETE FROM feed AS f USING first
WHERE f.tenant_id = $1 AND f.event_id = $2 AND f.seq = first.seq AND (first.seq <= $3 OR first.created_at < $4)
  AND first.seq <= coalesce((SELECT e.published FROM event_streams AS e WHERE e.tenant_id = $1 AND e.event_id = $2), first.seq);
