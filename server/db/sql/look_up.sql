-- name: find_tickets
-- What somebody at the door can say of a ticket: its id, its number elsewhere, its seat, or a part of its holder's name.
SELECT t.tenant_id AS tenant, t.id, t.event_id AS event, t.ticket_type_id AS ticket_type, t.order_id AS "order",
  t.owner_id AS owner, t.holder_name, t.seat, t.state, t.generation, t.version, t.locked, t.valid_from, t.valid_until,
  t.master_id AS master
FROM tickets AS t
WHERE t.tenant_id = current_tenant() AND t.event_id = $1 AND t.state NOT IN ('available', 'reserved')
  AND (
    t.id = $3 OR lower(t.seat) = lower($2) OR position(lower($2) IN lower(t.holder_name)) > 0
    OR t.id IN (
      SELECT m.ticket_id FROM imported_tickets AS m
      WHERE m.tenant_id = current_tenant() AND m.event_id = $1 AND m.external_id = $2)
  )
ORDER BY t.holder_name, t.seat, t.id LIMIT $4;

-- name: scans_of_ticket
SELECT gate_id AS gate, incarnation, gate_seq, scan_id AS scan, event_id AS event, ticket_id AS ticket, generation, hlc, at,
  received_at, direction, admitted, reason, mode, proven, server_reason, body, chain
FROM scans WHERE tenant_id = current_tenant() AND ticket_id = $1 ORDER BY hlc DESC LIMIT $2;
