-- name: add
-- What is there already is not asked for again: only what is new comes back.
INSERT INTO refunds_due (
  tenant_id, id, payment_id, ticket_id, event_id, order_id, reservation_id, amount_cents, currency, reason, at
)
SELECT current_tenant(), one.id, $4, one.ticket, $5, $6, $7, one.amount, $8, $9, $10
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS one (id, ticket, amount)
ON CONFLICT DO NOTHING RETURNING id;

-- name: sales
-- What each ticket cost is what its reservation said when it was bought. A bank that reversed a payment has given the money
-- back already.
SELECT t.id AS ticket, o.id AS "order", o.payment_id, l.price_cents AS amount_cents, o.currency
FROM tickets AS t
JOIN orders AS o ON o.tenant_id = t.tenant_id AND o.id = t.order_id
JOIN reservation_lines AS l
  ON l.tenant_id = o.tenant_id AND l.reservation_id = o.reservation_id AND l.ticket_type_id = t.ticket_type_id
WHERE t.id = ANY ($1::uuid[]) AND l.price_cents > 0 AND t.locked IS DISTINCT FROM 'chargeback'
ORDER BY t.id;

-- name: list
SELECT id, payment_id, ticket_id AS ticket, event_id AS event, order_id AS "order", reservation_id AS reservation,
  amount_cents, currency, reason, at
FROM refunds_due
WHERE tenant_id = current_tenant() AND ($1::uuid IS NULL OR event_id = $1) AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC LIMIT $3;

-- name: settle
UPDATE payment_facts SET settled = true WHERE tenant_id = current_tenant() AND payment_id = $1;
