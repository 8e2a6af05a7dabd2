-- name: tenant_exists
SELECT EXISTS (SELECT FROM tenants WHERE id = current_tenant());

-- name: claim
-- Of the transaction: two deliveries of one message at once must not both find that it had no effect yet.
SELECT pg_try_advisory_xact_lock(hashtextextended(concat_ws('|', 'inbox', current_tenant(), $1::text), 0));

-- name: get
SELECT message_id, event, body_hash, outcome, received_at
FROM inbox WHERE tenant_id = current_tenant() AND message_id = $1;

-- name: keep
INSERT INTO inbox (tenant_id, message_id, event, body_hash, outcome, received_at)
VALUES (current_tenant(), $1, $2, $3, $4, $5);

-- name: lock_payment
-- A payment that is not there yet has no row to lock.
SELECT pg_advisory_xact_lock(hashtextextended(concat_ws('|', 'payment', current_tenant(), $1::text), 0));

-- name: get_payment
SELECT payment_id, state, amount_cents, currency, reservation_id AS reservation, told_at
FROM payment_facts WHERE tenant_id = current_tenant() AND payment_id = $1;

-- name: keep_payment
-- From when a payment is known stays what it was.
INSERT INTO payment_facts (tenant_id, payment_id, state, amount_cents, currency, reservation_id, told_at, noted_at)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant_id, payment_id) DO UPDATE SET
  state = excluded.state, amount_cents = excluded.amount_cents, currency = excluded.currency,
  reservation_id = excluded.reservation_id, told_at = excluded.told_at;

-- name: order
SELECT tenant_id AS tenant, id, reservation_id AS reservation, user_id AS "user", payment_id, total_cents, currency, created_at
FROM orders WHERE tenant_id = current_tenant() AND id = $1;

-- name: order_of
SELECT tenant_id AS tenant, id, reservation_id AS reservation, user_id AS "user", payment_id, total_cents, currency, created_at
FROM orders WHERE tenant_id = current_tenant() AND reservation_id = $1;

-- name: order_paid_with
SELECT tenant_id AS tenant, id, reservation_id AS reservation, user_id AS "user", payment_id, total_cents, currency, created_at
FROM orders WHERE tenant_id = current_tenant() AND payment_id = $1;

-- name: lock_tickets
SELECT tenant_id AS tenant, id, event_id AS event, ticket_type_id AS ticket_type, order_id AS "order", owner_id AS owner,
  holder_name, seat, state, generation, version, locked, valid_from, valid_until, master_id AS master
FROM tickets WHERE tenant_id = current_tenant() AND order_id = $1 ORDER BY id FOR UPDATE;
