-- name: add_ending
INSERT INTO event_endings (
  tenant_id, event_id, kind, state, reason, actor_kind, actor_id, source, total, started_at, updated_at
)
VALUES (
  current_tenant(), $1, $2, 'running', $3, $4, $5, $6,
  (SELECT count(*) FROM tickets WHERE tenant_id = current_tenant() AND event_id = $1 AND state = ANY ($7::text[])), $8, $8
);

-- name: get_ending
SELECT event_id AS event, kind, state, reason, actor_kind, actor_id, source, total, used, expired, cancelled, revoked,
  reservations, transfers, refunds, started_at, updated_at, finished_at
FROM event_endings WHERE event_id = $1;

-- name: take_ending
-- One worker at a time; whoever comes second does something else.
SELECT event_id AS event, kind, state, reason, actor_kind, actor_id, source, total, used, expired, cancelled, revoked,
  reservations, transfers, refunds, started_at, updated_at, finished_at
FROM event_endings WHERE event_id = $1 AND state = 'running' FOR UPDATE SKIP LOCKED;

-- name: write_ending
UPDATE event_endings SET
  state = $2, used = $3, expired = $4, cancelled = $5, revoked = $6, reservations = $7, transfers = $8, refunds = $9,
  updated_at = $10, finished_at = $11
WHERE event_id = $1;

-- name: lock_pending_reservations
SELECT tenant_id AS tenant, id, event_id AS event, user_id AS "user", state, total_cents, currency, expires_at
FROM reservations WHERE event_id = $1 AND state = 'pending' ORDER BY id LIMIT $2 FOR UPDATE;

-- name: lock_tickets_to_end
-- What is done leaves these states, so asking again goes on where an interrupted worker stopped.
SELECT tenant_id AS tenant, id, event_id AS event, ticket_type_id AS ticket_type, order_id AS "order",
  owner_id AS owner, holder_name, seat, state, generation, version, locked, valid_from, valid_until,
  master_id AS master
FROM tickets WHERE tenant_id = current_tenant() AND event_id = $1 AND state = ANY ($2::text[])
ORDER BY id LIMIT $3 FOR UPDATE;

-- name: ended_tickets
-- A ticket's last step is the one that ended it. What a bank took back has no refund.
SELECT t.id AS ticket, t.ticket_type_id AS ticket_type, t.seat, t.owner_id AS owner, h.from_state AS was, h.to_state AS state,
  h.at, r.payment_id, r.amount_cents, r.currency
FROM tickets AS t
JOIN ticket_history AS h ON (h.tenant_id, h.ticket_id, h.version) = (t.tenant_id, t.id, t.version)
LEFT JOIN refunds_due AS r ON (r.tenant_id, r.ticket_id) = (t.tenant_id, t.id)
WHERE t.event_id = $1 AND h.source = $2 AND ($3::uuid IS NULL OR t.id < $3)
ORDER BY t.id DESC LIMIT $4;

-- name: reached_state
SELECT DISTINCT ticket_id FROM ticket_history WHERE ticket_id = ANY ($1::uuid[]) AND to_state = $2;
