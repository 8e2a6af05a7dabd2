-- name: make_log
INSERT INTO gate_logs (tenant_id, gate_id, incarnation, acked, chain) VALUES (current_tenant(), $1, $2, 0, $3)
ON CONFLICT DO NOTHING;

-- name: lock_log
SELECT acked, chain FROM gate_logs WHERE tenant_id = current_tenant() AND gate_id = $1 AND incarnation = $2 FOR UPDATE;

-- name: read_log
SELECT acked, chain FROM gate_logs WHERE tenant_id = current_tenant() AND gate_id = $1 AND incarnation = $2;

-- name: advance_log
UPDATE gate_logs SET acked = $3, chain = $4 WHERE tenant_id = current_tenant() AND gate_id = $1 AND incarnation = $2;

-- name: chain_at
SELECT chain FROM scans WHERE tenant_id = current_tenant() AND gate_id = $1 AND incarnation = $2 AND gate_seq = $3;

-- name: match
SELECT event_id AS event, handle_hash, ticket_id AS ticket, generation, master_id AS master FROM ticket_handles
WHERE tenant_id = current_tenant() AND event_id = $1 AND handle_hash = ANY($2::bytea[]);

-- name: lock_tickets
-- Always in the order of ids, so that two batches never wait for each other.
SELECT t.tenant_id AS tenant, t.id, t.event_id AS event, t.ticket_type_id AS ticket_type, t.order_id AS "order",
  t.owner_id AS owner, t.holder_name, t.seat, t.state, t.generation, t.version, t.locked, t.valid_from, t.valid_until,
  t.master_id AS master,
  y.tenant_id AS y_tenant, y.id AS y_id, y.event_id AS y_event, y.product AS y_product, y.name AS y_name,
  y.price_cents AS y_price_cents, y.currency AS y_currency, y.zones AS y_zones, y.entries AS y_entries,
  y.code_policy AS y_code_policy, y.max_per_order AS y_max_per_order, y.total AS y_total, y.available AS y_available,
  y.reserved AS y_reserved, y.sold AS y_sold, y.seated AS y_seated, y.version AS y_version
FROM tickets AS t JOIN ticket_types AS y ON (y.tenant_id, y.id) = (t.tenant_id, t.ticket_type_id)
WHERE t.tenant_id = current_tenant() AND t.id = ANY($1::uuid[]) ORDER BY t.id FOR UPDATE OF t;

-- name: admissions
-- What takes an admission back belongs to it.
SELECT ticket_id AS ticket, generation, gate_id AS gate, proven, body FROM scans
WHERE tenant_id = current_tenant() AND ticket_id = ANY($1::uuid[]) AND (admitted OR reason = 'undone');

-- name: steps
SELECT ticket_id AS ticket, from_state, to_state, generation, source, at FROM ticket_history
WHERE tenant_id = current_tenant() AND ticket_id = ANY($1::uuid[]) ORDER BY ticket_id, version;

-- name: add
INSERT INTO scans (tenant_id, gate_id, incarnation, gate_seq, scan_id, event_id, ticket_id, generation, hlc, at, received_at,
  direction, admitted, reason, mode, proven, server_reason, body, chain)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
ON CONFLICT (tenant_id, scan_id) DO NOTHING
RETURNING gate_seq;

-- name: known_scans
SELECT scan_id FROM scans WHERE tenant_id = current_tenant() AND scan_id = ANY($1::uuid[]);

-- name: add_all
INSERT INTO scans (tenant_id, gate_id, incarnation, gate_seq, scan_id, event_id, ticket_id, generation, hlc, at, received_at,
  direction, admitted, reason, mode, proven, server_reason, body, chain)
SELECT current_tenant(), one.*
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::integer[], $8::bigint[],
  $9::timestamptz[], $10::timestamptz[], $11::text[], $12::boolean[], $13::text[], $14::text[], $15::boolean[],
  $16::text[], $17::bytea[], $18::bytea[]) AS one
ON CONFLICT (tenant_id, scan_id) DO NOTHING;

-- name: list_of_event
SELECT gate_id AS gate, incarnation, gate_seq, scan_id AS scan, event_id AS event, ticket_id AS ticket, generation, hlc, at,
  received_at, direction, admitted, reason, mode, proven, server_reason, body, chain
FROM scans AS s
WHERE s.tenant_id = current_tenant() AND s.event_id = $1
  AND ($2::uuid IS NULL OR (s.at, s.scan_id) < (
    SELECT c.at, c.scan_id FROM scans AS c WHERE c.tenant_id = current_tenant() AND c.event_id = $1 AND c.scan_id = $2))
ORDER BY s.at DESC, s.scan_id DESC LIMIT $3;

-- name: tally
SELECT
  (SELECT count(*) FROM tickets
    WHERE tenant_id = current_tenant() AND event_id = $1 AND state NOT IN ('available', 'reserved')) AS tickets,
  (SELECT coalesce(sum(sold), 0) FROM ticket_types WHERE tenant_id = current_tenant() AND event_id = $1)::bigint AS sold,
  -- an admission taken back is two rows that make nothing together
  count(*) FILTER (WHERE admitted AND direction = 'entry')
    - count(*) FILTER (WHERE reason = 'undone' AND direction = 'entry') AS entries,
  count(*) FILTER (WHERE admitted AND direction = 'exit')
    - count(*) FILTER (WHERE reason = 'undone' AND direction = 'exit') AS exits,
  (SELECT count(*) FROM (
    SELECT ticket_id FROM scans
    WHERE tenant_id = current_tenant() AND event_id = $1 AND direction = 'entry' AND ticket_id IS NOT NULL
      AND (admitted OR reason = 'undone')
    GROUP BY ticket_id HAVING count(*) FILTER (WHERE admitted) > count(*) FILTER (WHERE NOT admitted)
  ) AS used) AS tickets_used,
  count(*) FILTER (WHERE reason NOT IN ('undone', 'staff_action')) AS scans,
  -- a code nobody could open has no server_reason either: it says nothing about tickets
  count(*) FILTER (WHERE ticket_id IS NULL AND server_reason IS NOT NULL) AS unmatched
FROM scans WHERE tenant_id = current_tenant() AND event_id = $1;

-- name: tally_gates
SELECT g.id AS gate, g.name,
  count(s.*) FILTER (WHERE s.admitted AND s.direction = 'entry')
    - count(s.*) FILTER (WHERE s.reason = 'undone' AND s.direction = 'entry') AS entries,
  count(s.*) FILTER (WHERE s.admitted AND s.direction = 'exit')
    - count(s.*) FILTER (WHERE s.reason = 'undone' AND s.direction = 'exit') AS exits,
  count(s.*) FILTER (WHERE NOT s.admitted AND s.reason NOT IN ('undone', 'staff_action')) AS refused,
  max(s.at) AS last_scan_at
FROM gates AS g LEFT JOIN scans AS s ON (s.tenant_id, s.gate_id) = (g.tenant_id, g.id) AND s.event_id = g.event_id
WHERE g.tenant_id = current_tenant() AND g.event_id = $1
GROUP BY g.id, g.name, g.enrolled_at ORDER BY g.enrolled_at, g.id;

-- name: tally_refusals
SELECT reason, count(*) AS scans FROM scans
WHERE tenant_id = current_tenant() AND event_id = $1 AND NOT admitted AND reason NOT IN ('undone', 'staff_action')
GROUP BY reason ORDER BY reason;
