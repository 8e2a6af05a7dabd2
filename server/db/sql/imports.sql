-- name: add_import
INSERT INTO imports (tenant_id, id, event_id, state, actor_id, created_at, updated_at)
VALUES (current_tenant(), $1, $2, 'receiving', $3, $4, $4);

-- name: get_import
SELECT id, event_id AS event, state, actor_id, received, known, applied, faults, held, created_at, updated_at, finished_at
FROM imports WHERE id = $1;

-- name: take_import
-- One worker at a time; whoever comes second does something else.
SELECT id, event_id AS event, state, actor_id, received, known, applied, faults, held, created_at, updated_at, finished_at
FROM imports WHERE id = $1 FOR UPDATE SKIP LOCKED;

-- name: is_applying
SELECT EXISTS (SELECT FROM imports WHERE event_id = $1 AND state IN ('holding', 'releasing', 'applying'));

-- name: write_import
UPDATE imports SET
  state = $2, received = $3, known = $4, applied = $5, faults = $6, updated_at = $7, finished_at = $8, held = $9
WHERE id = $1;

-- name: stage
INSERT INTO import_rows (
  tenant_id, import_id, n, external_id, ticket_type_id, holder_name, seat, owner_id, valid_from, valid_until
)
SELECT current_tenant(), $1, one.* FROM unnest(
  $2::integer[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::uuid[], $8::timestamptz[], $9::timestamptz[]
) AS one;

-- name: add_faults
INSERT INTO import_faults (tenant_id, import_id, n, field, code, message)
SELECT current_tenant(), $1, one.* FROM unnest($2::integer[], $3::text[], $4::text[], $5::text[]) AS one
ON CONFLICT DO NOTHING;

-- name: faults
SELECT n, field, code, message FROM import_faults WHERE import_id = $1 ORDER BY n, field LIMIT $2;

-- name: drop_rows
DELETE FROM import_rows WHERE import_id = $1;

-- name: drop_known
-- Rows whose ticket is there already; told apart from others by the name alone. Looked up row by row, whatever the planner
-- knows of tables that were filled a moment ago.
DELETE FROM import_rows AS r
WHERE r.import_id = $1 AND (
  SELECT true FROM imported_tickets AS m
  WHERE m.tenant_id = r.tenant_id AND m.event_id = $2 AND m.external_id = r.external_id LIMIT 1
);

-- name: repeated_names
-- Every occurrence but the first.
SELECT n FROM (
  SELECT n, row_number() OVER (PARTITION BY external_id ORDER BY n) AS nth FROM import_rows WHERE import_id = $1
) AS named WHERE nth > 1 ORDER BY n;

-- name: repeated_seats
SELECT n FROM (
  SELECT r.n, row_number() OVER (PARTITION BY r.seat ORDER BY r.n) AS nth
  FROM import_rows AS r JOIN ticket_types AS y ON (y.tenant_id, y.id) = (r.tenant_id, r.ticket_type_id)
  WHERE r.import_id = $1 AND y.seated
) AS seated WHERE nth > 1 ORDER BY n;

-- name: seats_not_free
SELECT r.n
FROM import_rows AS r JOIN ticket_types AS y ON (y.tenant_id, y.id) = (r.tenant_id, r.ticket_type_id)
WHERE r.import_id = $1 AND y.seated AND (
  SELECT t.id FROM tickets AS t
  WHERE t.event_id = $2 AND t.seat = r.seat AND t.seat <> ''
    AND t.ticket_type_id = r.ticket_type_id AND t.state = 'available' LIMIT 1
) IS NULL
ORDER BY r.n;

-- name: wanted
SELECT ticket_type_id, count(*)::integer AS quantity FROM import_rows WHERE import_id = $1 GROUP BY ticket_type_id;

-- name: seat_labels
SELECT r.n, r.seat
FROM import_rows AS r JOIN ticket_types AS y ON (y.tenant_id, y.id) = (r.tenant_id, r.ticket_type_id)
WHERE r.import_id = $1 AND y.seated AND r.n > $2 ORDER BY r.n LIMIT $3;

-- name: held_labels
SELECT r.n, r.seat
FROM import_rows AS r JOIN ticket_types AS y ON (y.tenant_id, y.id) = (r.tenant_id, r.ticket_type_id)
WHERE r.import_id = $1 AND y.seated AND r.n <= $2 ORDER BY r.n DESC LIMIT $3;

-- name: lock_seats
-- In the order of ids, as everybody locks tickets.
SELECT tenant_id AS tenant, id, event_id AS event, ticket_type_id AS ticket_type, order_id AS "order",
  owner_id AS owner, holder_name, seat, state, generation, version, locked, valid_from, valid_until,
  master_id AS master
FROM tickets
WHERE tenant_id = current_tenant() AND event_id = $1 AND seat = ANY ($2::text[]) AND seat <> '' AND state = $3
ORDER BY id FOR UPDATE;

-- name: next_rows
SELECT n, external_id, ticket_type_id AS ticket_type, holder_name, seat, owner_id AS owner, valid_from, valid_until
FROM import_rows WHERE import_id = $1 ORDER BY n LIMIT $2;

-- name: drop_done
DELETE FROM import_rows WHERE import_id = $1 AND n = ANY ($2::integer[]);

-- name: add_imported
INSERT INTO imported_tickets (tenant_id, event_id, external_id, ticket_id, import_id)
SELECT current_tenant(), $1, one.external_id, one.ticket_id, $4 FROM unnest($2::text[], $3::uuid[]) AS one (external_id, ticket_id);
