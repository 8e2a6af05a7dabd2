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

-- name: set_reservation_state
UPDATE reservations SET state = $2 WHERE id = $1;

-- name: user_holds
SELECT EXISTS (
  SELECT FROM reservations WHERE user_id = $1 AND event_id = $2 AND state = 'pending' AND expires_at > $3
);

-- name: count_bought
SELECT coalesce(sum(line.quantity), 0)::integer
FROM reservations AS held
JOIN reservation_lines AS line ON line.tenant_id = held.tenant_id AND line.reservation_id = held.id
WHERE held.user_id = $1 AND held.event_id = $2 AND held.state = 'confirmed';

-- name: add_order
INSERT INTO orders (tenant_id, id, reservation_id, user_id, payment_id, total_cents, currency, created_at)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7);
