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
WITH walks AS (
  SELECT ticket_id,
    count(*) FILTER (WHERE admitted AND direction = 'entry')
      - count(*) FILTER (WHERE NOT admitted AND direction = 'entry') AS entries,
    count(*) FILTER (WHERE admitted AND direction = 'exit')
      - count(*) FILTER (WHERE NOT admitted AND direction = 'exit') AS exits
  FROM scans
  WHERE tenant_id = current_tenant() AND event_id = $1 AND ticket_id IS NOT NULL AND (admitted OR reason = 'undone')
  GROUP BY ticket_id
), crowd AS (
  SELECT t.ticket_type_id,
    count(*) FILTER (WHERE t.state IN ('sold', 'minted', 'active', 'transferred', 'checked_in', 'used')) AS expected,
    count(*) FILTER (WHERE w.entries > 0) AS arrived,
    coalesce(sum(w.entries - w.exits), 0)::bigint AS inside
  FROM tickets AS t LEFT JOIN walks AS w ON w.ticket_id = t.id
  WHERE t.tenant_id = current_tenant() AND t.event_id = $1
  GROUP BY t.ticket_type_id
)
SELECT y.id, y.name, y.zones, coalesce(c.expected, 0) AS expected, coalesce(c.arrived, 0) AS arrived,
  coalesce(c.inside, 0) AS inside
FROM ticket_types AS y LEFT JOIN crowd AS c ON c.ticket_type_id = y.id
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
