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

-- name: get_tickets
SELECT tenant_id AS tenant, id, event_id AS event, ticket_type_id AS ticket_type, order_id AS "order",
  owner_id AS owner, holder_name, seat, state, generation, version, locked, valid_from, valid_until,
  master_id AS master
FROM tickets WHERE id = ANY ($1::uuid[]) ORDER BY id;

-- name: lock_free_seats
-- A seat that somebody is changing is taken for now: nobody waits for a seat while holding the row of its type.
SELECT tenant_id AS tenant, id, event_id AS event, ticket_type_id AS ticket_type, order_id AS "order",
  owner_id AS owner, holder_name, seat, state, generation, version, locked, valid_from, valid_until,
  master_id AS master
FROM tickets WHERE id = ANY ($1::uuid[]) AND state = 'available' ORDER BY id FOR UPDATE SKIP LOCKED;

-- name: pick_free_seats
-- By length first, so that seat 2 comes before seat 10.
SELECT tenant_id AS tenant, id, event_id AS event, ticket_type_id AS ticket_type, order_id AS "order",
  owner_id AS owner, holder_name, seat, state, generation, version, locked, valid_from, valid_until,
  master_id AS master
FROM tickets WHERE event_id = $1 AND state = 'available' AND ticket_type_id = $2
ORDER BY length(seat), seat LIMIT $3 FOR UPDATE SKIP LOCKED;

-- name: held_ticket
SELECT t.id, t.event_id AS event, e.name AS event_name, t.ticket_type_id AS ticket_type, y.name AS ticket_type_name,
  t.state, t.locked IS NOT NULL AS locked, t.seat, t.valid_from, t.valid_until, t.master_id AS master, t.generation,
  (e.policy #>> '{window,doors}')::timestamptz AS doors, (e.policy #>> '{window,starts}')::timestamptz AS starts,
  (e.policy #>> '{window,ends}')::timestamptz AS ends
FROM tickets AS t
JOIN events AS e ON (e.tenant_id, e.id) = (t.tenant_id, t.event_id)
JOIN ticket_types AS y ON (y.tenant_id, y.id) = (t.tenant_id, t.ticket_type_id)
WHERE t.id = $1;

-- name: search_tickets
-- What is left out is passed over in the index alone; only the tickets of the page itself are read. $3 is a plain value
-- and never null: anything around it would keep row-level security from handing the comparison to the index.
WITH page AS (
  SELECT tenant_id, id FROM tickets
  WHERE owner_id = $1 AND ($2::uuid IS NULL OR event_id = $2) AND id < $3
  ORDER BY id DESC OFFSET $4 LIMIT $5
)
SELECT t.id, t.event_id AS event, e.name AS event_name, t.ticket_type_id AS ticket_type, y.name AS ticket_type_name,
  t.state, t.locked IS NOT NULL AS locked, t.seat, t.valid_from, t.valid_until, t.master_id AS master, t.generation,
  (e.policy #>> '{window,doors}')::timestamptz AS doors, (e.policy #>> '{window,starts}')::timestamptz AS starts,
  (e.policy #>> '{window,ends}')::timestamptz AS ends
FROM page JOIN tickets AS t ON (t.tenant_id, t.id) = (page.tenant_id, page.id)
JOIN events AS e ON (e.tenant_id, e.id) = (t.tenant_id, t.event_id)
JOIN ticket_types AS y ON (y.tenant_id, y.id) = (t.tenant_id, t.ticket_type_id)
ORDER BY t.id DESC;

-- name: search_tickets_in_state
WITH page AS (
  SELECT tenant_id, id FROM tickets
  WHERE owner_id = $1 AND ($2::uuid IS NULL OR event_id = $2) AND id < $3 AND state = $6
  ORDER BY id DESC OFFSET $4 LIMIT $5
)
SELECT t.id, t.event_id AS event, e.name AS event_name, t.ticket_type_id AS ticket_type, y.name AS ticket_type_name,
  t.state, t.locked IS NOT NULL AS locked, t.seat, t.valid_from, t.valid_until, t.master_id AS master, t.generation,
  (e.policy #>> '{window,doors}')::timestamptz AS doors, (e.policy #>> '{window,starts}')::timestamptz AS starts,
  (e.policy #>> '{window,ends}')::timestamptz AS ends
FROM page JOIN tickets AS t ON (t.tenant_id, t.id) = (page.tenant_id, page.id)
JOIN events AS e ON (e.tenant_id, e.id) = (t.tenant_id, t.event_id)
JOIN ticket_types AS y ON (y.tenant_id, y.id) = (t.tenant_id, t.ticket_type_id)
ORDER BY t.id DESC;

-- name: past_of_ticket
SELECT
  EXISTS (SELECT FROM ticket_history WHERE ticket_id = $1 AND to_state = 'checked_in')
    OR EXISTS (SELECT FROM scans WHERE ticket_id = $1 AND admitted) AS entered,
  EXISTS (SELECT FROM ticket_history WHERE ticket_id = $1 AND to_state = 'minted') AS minted;

-- name: step_ticket
-- Only if nobody was quicker: the state and version the caller decided upon must still stand.
UPDATE tickets SET
  state = $4, generation = $5, version = version + 1, owner_id = $6, holder_name = $7, seat = $8, locked = $9,
  valid_from = $10, valid_until = $11, updated_at = $12, master_id = $13, order_id = $14
WHERE id = $1 AND state = $2 AND version = $3;

-- name: step_tickets
-- The same for many at once; how many rows it changed tells whether somebody was quicker.
UPDATE tickets AS t SET
  state = one.to_state, generation = one.generation, version = t.version + 1, order_id = one.order_id,
  owner_id = one.owner_id, holder_name = one.holder_name, seat = one.seat, locked = one.locked,
  valid_from = one.valid_from, valid_until = one.valid_until, master_id = one.master_id, updated_at = $14
FROM unnest(
  $1::uuid[], $2::text[], $3::integer[], $4::text[], $5::integer[], $6::uuid[], $7::uuid[], $8::text[], $9::text[],
  $10::text[], $11::timestamptz[], $12::timestamptz[], $13::integer[]
) AS one (
  id, from_state, version, to_state, generation, order_id, owner_id, holder_name, seat,
  locked, valid_from, valid_until, master_id
)
WHERE t.id = one.id AND t.state = one.from_state AND t.version = one.version;

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

-- name: steps_before
SELECT ticket_id AS ticket, version, from_state, to_state, generation, actor_kind, actor_id, reason, source, at
FROM ticket_history WHERE ticket_id = $1 AND version < $2 ORDER BY version DESC LIMIT $3;
