-- The least an order is to PostgreSQL: a place is held in one transaction, and becomes somebody's ticket in the next.
BEGIN;
SELECT set_config('app.tenant', '{tenant}', true);
SELECT available FROM ticket_types WHERE id = '{type}' FOR NO KEY UPDATE;
UPDATE ticket_types SET available = available - 1, reserved = reserved + 1 WHERE id = '{type}';
INSERT INTO reservations (tenant_id, id, event_id, user_id, total_cents, currency, expires_at)
VALUES (current_tenant(), gen_random_uuid(), '{event}', gen_random_uuid(), 4500, 'EUR', now() + interval '10 minutes')
RETURNING id AS reservation \gset
INSERT INTO reservation_lines (tenant_id, reservation_id, ticket_type_id, quantity, price_cents)
VALUES (current_tenant(), :reservation, '{type}', 1, 4500);
COMMIT;
BEGIN;
SELECT set_config('app.tenant', '{tenant}', true);
SELECT user_id AS buyer FROM reservations WHERE id = :reservation FOR UPDATE \gset
UPDATE ticket_types SET reserved = reserved - 1, sold = sold + 1 WHERE id = '{type}';
UPDATE reservations SET state = 'confirmed' WHERE id = :reservation;
INSERT INTO orders (tenant_id, id, reservation_id, user_id, payment_id, total_cents, currency)
VALUES (current_tenant(), gen_random_uuid(), :reservation, :buyer, gen_random_uuid()::text, 4500, 'EUR')
RETURNING id AS paid \gset
INSERT INTO tickets (tenant_id, id, event_id, ticket_type_id, order_id, owner_id, state)
VALUES (current_tenant(), gen_random_uuid(), '{event}', '{type}', :paid, :buyer, 'active')
RETURNING id AS ticket \gset
INSERT INTO ticket_handles (tenant_id, event_id, handle_hash, ticket_id, generation)
VALUES (current_tenant(), '{event}', decode(md5(random()::text), 'hex'), :ticket, 0);
INSERT INTO ticket_history (
  tenant_id, ticket_id, version, from_state, to_state, generation, actor_kind, actor_id, source
)
VALUES (current_tenant(), :ticket, 1, 'sold', 'active', 0, 'system', 'pgbench', 'pgbench');
COMMIT;
