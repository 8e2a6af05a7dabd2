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

-- name: count_accepted_transfers
SELECT count(*) FROM transfers WHERE ticket_id = $1 AND state = 'accepted';

-- name: count_sent_transfers
SELECT count(*) FROM transfers WHERE from_user_id = $1 AND created_at > $2;
