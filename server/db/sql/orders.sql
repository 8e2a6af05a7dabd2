-- name: lock_user
-- Of the transaction. What a user holds is counted over several rows, so no single row can be locked instead.
SELECT pg_advisory_xact_lock(hashtextextended(concat_ws('|', 'reserve', current_tenant(), $1::uuid, $2::uuid), 0));

-- name: add_reservation
INSERT INTO reservations (tenant_id, id, event_id, user_id, state, total_cents, currency, expires_at)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7);

-- name: add_reservation_lines
INSERT INTO reservation_lines (tenant_id, reservation_id, ticket_type_id, quantity, price_cents)
SELECT current_tenant(), $1, line.* FROM unnest($2::uuid[], $3::smallint[], $4::integer[]) AS line;

-- name: get_reservation
SELECT tenant_id AS tenant, id, event_id AS event, user_id AS "user", state, total_cents, currency, expires_at
FROM reservations WHERE id = $1;

-- name: lock_reservation
SELECT tenant_id AS tenant, id, event_id AS event, user_id AS "user", state, total_cents, currency, expires_at
FROM reservations WHERE id = $1 FOR UPDATE;

-- name: lock_expired_reservations
SELECT tenant_id AS tenant, id, event_id AS event, user_id AS "user", state, total_cents, currency, expires_at
FROM reservations
WHERE event_id = $1 AND state = 'pending' AND expires_at <= $2
ORDER BY expires_at LIMIT $3 FOR UPDATE SKIP LOCKED;

-- name: lines_of_reservations
SELECT reservation_id, ticket_type_id AS ticket_type, quantity, price_cents
FROM reservation_lines WHERE reservation_id = ANY ($1::uuid[]) ORDER BY reservation_id, ticket_type_id;

-- name: add_reservation_seats
INSERT INTO reservation_seats (tenant_id, reservation_id, ticket_id)
SELECT current_tenant(), $1, seat FROM unnest($2::uuid[]) AS seat;

-- name: seats_of_reservations
-- Only what is reserved still: an event that was cancelled takes its seats away under the reservation.
SELECT t.tenant_id AS tenant, t.id, t.event_id AS event, t.ticket_type_id AS ticket_type, t.order_id AS "order",
  t.owner_id AS owner, t.holder_name, t.seat, t.state, t.generation, t.version, t.locked, t.valid_from, t.valid_until,
  t.master_id AS master
FROM reservation_seats AS s JOIN tickets AS t ON (t.tenant_id, t.id) = (s.tenant_id, s.ticket_id)
WHERE s.reservation_id = ANY ($1::uuid[]) AND t.state = 'reserved' ORDER BY t.id FOR UPDATE OF t;

-- name: seats_of_reservation
SELECT t.tenant_id AS tenant, t.id, t.event_id AS event, t.ticket_type_id AS ticket_type, t.order_id AS "order",
  t.owner_id AS owner, t.holder_name, t.seat, t.state, t.generation, t.version, t.locked, t.valid_from, t.valid_until,
  t.master_id AS master
FROM reservation_seats AS s JOIN tickets AS t ON (t.tenant_id, t.id) = (s.tenant_id, s.ticket_id)
WHERE s.reservation_id = $1 ORDER BY t.seat, t.id;

-- name: sale_of_ticket
-- An order that cost nothing has a payment of nobody: there is nothing to give back.
SELECT CASE WHEN o.total_cents > 0 THEN o.payment_id END AS payment_id, l.price_cents AS amount_cents, o.currency
FROM orders AS o
JOIN reservation_lines AS l ON (l.tenant_id, l.reservation_id) = (o.tenant_id, o.reservation_id)
WHERE o.id = $1 AND l.ticket_type_id = $2;

-- name: set_reservation_state
UPDATE reservations SET state = $2 WHERE id = $1;

-- name: user_holds
SELECT EXISTS (
  SELECT FROM reservations WHERE user_id = $1 AND event_id = $2 AND state = 'pending' AND expires_at > $3
);

-- name: count_bought
SELECT (
  (SELECT coalesce(sum(line.quantity), 0)
   FROM reservations AS held
   JOIN reservation_lines AS line ON (line.tenant_id, line.reservation_id) = (held.tenant_id, held.id)
   WHERE held.user_id = $1 AND held.event_id = $2 AND held.state = 'confirmed')
  - (SELECT count(*)
     FROM reservations AS held
     JOIN orders AS paid ON (paid.tenant_id, paid.reservation_id) = (held.tenant_id, held.id)
     JOIN tickets AS back ON (back.tenant_id, back.order_id) = (paid.tenant_id, paid.id)
     WHERE held.user_id = $1 AND held.event_id = $2 AND held.state = 'confirmed'
       AND back.state IN ('refunded', 'cancelled'))
)::integer;

-- name: add_order
INSERT INTO orders (tenant_id, id, reservation_id, user_id, payment_id, total_cents, currency, created_at)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7);
