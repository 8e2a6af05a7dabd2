-- name: add_tickets
INSERT INTO tickets (
  tenant_id, id, event_id, ticket_type_id, order_id, owner_id, holder_name, seat, state, generation, version,
  valid_from, valid_until, master_id
)
SELECT current_tenant(), one.* FROM unnest(
  $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[],
  $9::integer[], $10::integer[], $11::timestamptz[], $12::timestamptz[], $13::integer[]
) AS one;

-- name: get_ticket
SELECT tenant_id AS tenant, id, event_id AS event, ticket_type_id AS ticket_type, order_id AS "order",
  owner_id AS owner, holder_name, seat, state, generation, version, locked, valid_from, valid_until,
  master_id AS master
FROM tickets WHERE id = $1;

-- name: lock_ticket
SELECT tenant_id AS tenant, id, event_id AS event, ticket_type_id AS ticket_type, order_id AS "order",
  owner_id AS owner, holder_name, seat, state, generation, version, locked, valid_from, valid_until,
  master_id AS master
FROM tickets WHERE id = $1 FOR UPDATE;

-- name: tickets_of_owner
SELECT tenant_id AS tenant, id, event_id AS event, ticket_type_id AS ticket_type, order_id AS "order",
  owner_id AS owner, holder_name, seat, state, generation, version, locked, valid_from, valid_until,
  master_id AS master
FROM tickets
WHERE owner_id = $1 AND ($2::uuid IS NULL OR event_id = $2) AND ($3::uuid IS NULL OR id < $3)
ORDER BY id DESC LIMIT $4;

-- name: step_ticket
-- Only if nobody was quicker: the state and version the caller decided upon must still stand.
UPDATE tickets SET
  state = $4, generation = $5, version = version + 1, owner_id = $6, holder_name = $7, seat = $8, locked = $9,
  valid_from = $10, valid_until = $11, updated_at = $12, master_id = $13
WHERE id = $1 AND state = $2 AND version = $3;

-- name: add_handles
INSERT INTO ticket_handles (tenant_id, event_id, handle_hash, ticket_id, generation, master_id)
SELECT current_tenant(), one.* FROM unnest($1::uuid[], $2::bytea[], $3::uuid[], $4::integer[], $5::integer[]) AS one
ON CONFLICT (tenant_id, event_id, handle_hash) DO NOTHING;

-- name: find_handle
SELECT event_id AS event, handle_hash, ticket_id AS ticket, generation, master_id AS master
FROM ticket_handles WHERE event_id = $1 AND handle_hash = $2;

-- name: add_history
INSERT INTO ticket_history (
  tenant_id, ticket_id, version, from_state, to_state, generation, actor_kind, actor_id, reason, source, at
)
SELECT current_tenant(), one.* FROM unnest(
  $1::uuid[], $2::integer[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[], $9::text[],
  $10::timestamptz[]
) AS one;

-- name: history_of_ticket
SELECT ticket_id AS ticket, version, from_state, to_state, generation, actor_kind, actor_id, reason, source, at
FROM ticket_history WHERE ticket_id = $1 ORDER BY version;
