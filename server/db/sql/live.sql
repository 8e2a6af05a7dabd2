-- name: scan_sums
-- One pass over the event's scans for four kinds of sums.
SELECT minute, gate_id AS gate, reason,
  count(*) FILTER (WHERE admitted AND direction = 'entry')
    - count(*) FILTER (WHERE reason = 'undone' AND direction = 'entry') AS entries,
  count(*) FILTER (WHERE admitted AND direction = 'exit')
    - count(*) FILTER (WHERE reason = 'undone' AND direction = 'exit') AS exits,
  count(*) FILTER (WHERE NOT admitted AND reason NOT IN ('undone', 'staff_action')) AS refused,
  max(at) AS last_at
FROM (
  SELECT date_trunc('minute', at) AS minute, gate_id, reason, admitted, direction, at FROM scans
  WHERE tenant_id = current_tenant() AND event_id = $1
) AS s
GROUP BY GROUPING SETS ((minute), (gate_id), (reason), ())
HAVING count(*) > 0
ORDER BY minute;

-- name: type_sums
-- Tickets and scans in one heap, summed by ticket: a join would be planned by statistics, which just after tickets were made know of
-- none, and walk through all scans once for each ticket.
WITH heap AS (
  SELECT id AS ticket_id, ticket_type_id AS kind,
    (state IN ('sold', 'minted', 'active', 'transferred', 'checked_in', 'used'))::integer AS expected, 0 AS entry, 0 AS way_out
  FROM tickets WHERE tenant_id = current_tenant() AND event_id = $1
  UNION ALL
  SELECT ticket_id, NULL, 0,
    CASE WHEN direction = 'entry' THEN CASE WHEN admitted THEN 1 ELSE -1 END ELSE 0 END,
    CASE WHEN direction = 'exit' THEN CASE WHEN admitted THEN 1 ELSE -1 END ELSE 0 END
  FROM scans
  WHERE tenant_id = current_tenant() AND event_id = $1 AND ticket_id IS NOT NULL AND (admitted OR reason = 'undone')
), walks AS MATERIALIZED (
  SELECT (array_agg(kind) FILTER (WHERE kind IS NOT NULL))[1] AS kind,
    sum(expected) AS expected, sum(entry) AS entries, sum(way_out) AS exits
  FROM heap GROUP BY ticket_id
), crowd AS MATERIALIZED (
  SELECT kind, sum(expected) AS expected, count(*) FILTER (WHERE entries > 0) AS arrived, sum(entries - exits) AS inside
  FROM walks GROUP BY kind
)
SELECT y.id, y.name, y.zones, coalesce(c.expected, 0)::bigint AS expected, coalesce(c.arrived, 0) AS arrived,
  coalesce(c.inside, 0)::bigint AS inside
FROM ticket_types AS y LEFT JOIN crowd AS c ON c.kind = y.id
WHERE y.tenant_id = current_tenant() AND y.event_id = $1 ORDER BY y.product;

-- name: open_conflicts
SELECT severity, count(*) AS count FROM conflicts
WHERE tenant_id = current_tenant() AND event_id = $1 AND state IN ('open', 'acknowledged') GROUP BY severity;

-- name: newest_open
SELECT id, event_id AS event, ticket_id AS ticket, scan_id AS scan, earlier_scan_id AS earlier, kind, severity, state,
  resolution, evidence, created_at, updated_at, decided_by, note
FROM conflicts
WHERE tenant_id = current_tenant() AND event_id = $1 AND state IN ('open', 'acknowledged')
ORDER BY created_at DESC, scan_id DESC LIMIT $2;
