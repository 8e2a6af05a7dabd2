-- name: of_tickets
SELECT id, event_id AS event, ticket_id AS ticket, scan_id AS scan, earlier_scan_id AS earlier, kind, severity, state,
  resolution, evidence, created_at, updated_at, decided_by, note
FROM conflicts WHERE tenant_id = current_tenant() AND ticket_id = ANY($1::uuid[]);

-- name: keep
-- What a person acknowledged or resolved stays so; one that was withdrawn and holds again is looked at again.
INSERT INTO conflicts AS kept (tenant_id, id, event_id, ticket_id, scan_id, earlier_scan_id, kind, severity, state,
  evidence, created_at, updated_at)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
ON CONFLICT (tenant_id, scan_id) DO UPDATE SET
  earlier_scan_id = excluded.earlier_scan_id, kind = excluded.kind, severity = excluded.severity,
  state = CASE WHEN kept.state = 'acknowledged' OR kept.resolution IS NOT NULL THEN
    CASE kept.state WHEN 'withdrawn' THEN 'resolved' ELSE kept.state END ELSE excluded.state END,
  evidence = excluded.evidence, updated_at = excluded.updated_at;

-- name: withdraw
UPDATE conflicts SET state = 'withdrawn', updated_at = $2
WHERE tenant_id = current_tenant() AND scan_id = ANY($1::uuid[]) AND state <> 'withdrawn';

-- name: list_of_event
SELECT id, event_id AS event, ticket_id AS ticket, scan_id AS scan, earlier_scan_id AS earlier, kind, severity, state,
  resolution, evidence, created_at, updated_at, decided_by, note
FROM conflicts AS o
WHERE o.tenant_id = current_tenant() AND o.event_id = $1
  AND ($2::uuid IS NULL OR (o.created_at, o.scan_id) < (
    SELECT c.created_at, c.scan_id FROM conflicts AS c
    WHERE c.tenant_id = current_tenant() AND c.event_id = $1 AND c.scan_id = $2))
ORDER BY o.created_at DESC, o.scan_id DESC LIMIT $3;

-- name: ticket_of
SELECT ticket_id FROM conflicts WHERE tenant_id = current_tenant() AND id = $1;

-- name: hot_of_tickets
-- The generations whose codes were shown on two phones at once, as far as nobody found an innocent reason.
SELECT DISTINCT h.handle_hash
FROM conflicts AS c
JOIN ticket_handles AS h ON h.tenant_id = c.tenant_id AND h.event_id = c.event_id AND h.ticket_id = c.ticket_id
  AND h.generation = (c.evidence #>> '{scan,generation}')::integer
WHERE c.tenant_id = current_tenant() AND c.ticket_id = ANY($1::uuid[]) AND c.kind = 'clone' AND (c.state IN ('open', 'acknowledged')
  OR (c.state = 'resolved' AND c.resolution NOT IN ('benign', 'staff_error')));

-- name: hot_of_event
SELECT DISTINCT h.handle_hash
FROM conflicts AS c
JOIN ticket_handles AS h ON h.tenant_id = c.tenant_id AND h.event_id = c.event_id AND h.ticket_id = c.ticket_id
  AND h.generation = (c.evidence #>> '{scan,generation}')::integer
WHERE c.tenant_id = current_tenant() AND c.event_id = $1 AND c.kind = 'clone' AND (c.state IN ('open', 'acknowledged')
  OR (c.state = 'resolved' AND c.resolution NOT IN ('benign', 'staff_error')))
ORDER BY h.handle_hash;

-- name: tally
SELECT kind, count(*) AS conflicts FROM conflicts
WHERE tenant_id = current_tenant() AND event_id = $1 AND state <> 'withdrawn' GROUP BY kind ORDER BY kind;

-- name: lock
SELECT id, event_id AS event, ticket_id AS ticket, scan_id AS scan, earlier_scan_id AS earlier, kind, severity, state,
  resolution, evidence, created_at, updated_at, decided_by, note
FROM conflicts WHERE tenant_id = current_tenant() AND id = $1 FOR UPDATE;

-- name: decide
UPDATE conflicts SET state = $2, resolution = $3, decided_by = $4, note = $5, updated_at = $6
WHERE tenant_id = current_tenant() AND id = $1;
