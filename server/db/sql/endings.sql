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

-- name: reached_state
SELECT DISTINCT ticket_id FROM ticket_history WHERE ticket_id = ANY ($1::uuid[]) AND to_state = $2;

-- name: add_cancelled_sales
-- What each ticket cost is what its reservation said when it was bought.
INSERT INTO cancelled_sales (tenant_id, ticket_id, event_id, order_id, payment_id, amount_cents, currency, at)
SELECT t.tenant_id, t.id, t.event_id, o.id, o.payment_id, l.price_cents, o.currency, $2
FROM tickets AS t
JOIN orders AS o ON o.tenant_id = t.tenant_id AND o.id = t.order_id
JOIN reservation_lines AS l
  ON l.tenant_id = o.tenant_id AND l.reservation_id = o.reservation_id AND l.ticket_type_id = t.ticket_type_id
-- A bank that reversed a payment has given the money back already.
WHERE t.id = ANY ($1::uuid[]) AND l.price_cents > 0 AND t.locked IS DISTINCT FROM 'chargeback'
ON CONFLICT (tenant_id, ticket_id) DO NOTHING
RETURNING ticket_id AS ticket, order_id AS "order", payment_id, amount_cents, currency, at;

-- name: cancelled_sales_of_event
SELECT ticket_id AS ticket, order_id AS "order", payment_id, amount_cents, currency, at
FROM cancelled_sales WHERE event_id = $1 AND ($2::uuid IS NULL OR ticket_id < $2) ORDER BY ticket_id DESC LIMIT $3;
