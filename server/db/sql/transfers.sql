-- name: add_transfer
INSERT INTO transfers (tenant_id, id, ticket_id, from_user_id, recipient_email, message, state, expires_at, created_at)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8);

-- name: get_transfer
SELECT tenant_id AS tenant, id, ticket_id AS ticket, from_user_id AS from_user, recipient_email, message, state,
  to_user_id AS to_user, expires_at, created_at
FROM transfers WHERE id = $1;

-- name: lock_transfer
SELECT tenant_id AS tenant, id, ticket_id AS ticket, from_user_id AS from_user, recipient_email, message, state,
  to_user_id AS to_user, expires_at, created_at
FROM transfers WHERE id = $1 FOR UPDATE;

-- name: end_overdue_transfer
UPDATE transfers SET state = 'expired', ended_at = $2 WHERE ticket_id = $1 AND state = 'pending' AND expires_at <= $2;

-- name: end_transfer
UPDATE transfers SET state = $2, to_user_id = $3, ended_at = $4 WHERE id = $1;

-- name: end_pending_transfer
UPDATE transfers SET state = $2, ended_at = $3 WHERE ticket_id = $1 AND state = 'pending';

-- name: hand_overs
SELECT count(*)::integer AS times, max(ended_at) AS last FROM transfers WHERE ticket_id = $1 AND state = 'accepted';

-- name: sent_transfers
SELECT f.id, f.ticket_id AS ticket, t.event_id AS event, e.name AS event_name, y.name AS ticket_type_name,
  f.recipient_email, f.message, f.state, f.expires_at, f.created_at, f.ended_at
FROM transfers AS f
JOIN tickets AS t ON (t.tenant_id, t.id) = (f.tenant_id, f.ticket_id)
JOIN events AS e ON (e.tenant_id, e.id) = (t.tenant_id, t.event_id)
JOIN ticket_types AS y ON (y.tenant_id, y.id) = (t.tenant_id, t.ticket_type_id)
WHERE f.from_user_id = $1 AND f.id < $2
ORDER BY f.id DESC LIMIT $3;

-- name: received_transfers
-- Two lists, each in the order of an index: what is offered to the address and nobody took, and what this user took.
WITH page AS (
  (SELECT tenant_id, id FROM transfers
   WHERE recipient_email = $2::text AND to_user_id IS NULL AND from_user_id <> $1
     AND id < $3
   ORDER BY id DESC LIMIT $4)
  UNION ALL
  (SELECT tenant_id, id FROM transfers
   WHERE to_user_id = $1 AND id < $3
   ORDER BY id DESC LIMIT $4)
)
SELECT f.id, f.ticket_id AS ticket, t.event_id AS event, e.name AS event_name, y.name AS ticket_type_name,
  f.recipient_email, f.message, f.state, f.expires_at, f.created_at, f.ended_at
FROM page
JOIN transfers AS f ON (f.tenant_id, f.id) = (page.tenant_id, page.id)
JOIN tickets AS t ON (t.tenant_id, t.id) = (f.tenant_id, f.ticket_id)
JOIN events AS e ON (e.tenant_id, e.id) = (t.tenant_id, t.event_id)
JOIN ticket_types AS y ON (y.tenant_id, y.id) = (t.tenant_id, t.ticket_type_id)
ORDER BY f.id DESC LIMIT $4;

-- name: lock_sender
-- Of the transaction: the offers of a day are several rows, so no single row can be locked instead.
SELECT pg_advisory_xact_lock(hashtextextended(concat_ws('|', 'transfer', current_tenant(), $1::uuid), 0));

-- name: count_sent_transfers
SELECT count(*) FROM transfers WHERE from_user_id = $1 AND created_at > $2;
