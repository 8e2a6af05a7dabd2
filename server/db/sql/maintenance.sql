-- What the worker role does across tenants, and what anybody may ask of the server itself.

-- name: tenants
SELECT id FROM tenants ORDER BY id;

-- name: overdue_events
SELECT DISTINCT tenant_id, event_id FROM reservations WHERE state = 'pending' AND expires_at <= $1 LIMIT $2;

-- name: end_transfers
WITH overdue AS (
  SELECT tenant_id, id FROM transfers WHERE state = 'pending' AND expires_at <= $1
  ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE transfers AS t SET state = 'expired', ended_at = $1
FROM overdue WHERE (t.tenant_id, t.id) = (overdue.tenant_id, overdue.id);

-- name: unused_payments
SELECT tenant_id, payment_id FROM payment_facts WHERE state = 'completed' AND NOT settled AND noted_at < $1
ORDER BY noted_at LIMIT $2;

-- name: forget_answers
DELETE FROM idempotency WHERE created_at < $1;

-- name: forget_nonces
DELETE FROM service_nonces WHERE ends_at < $1;

-- name: forget_codes
DELETE FROM enrolment_codes WHERE expires_at < $1;

-- name: forget_sessions
DELETE FROM staff_sessions WHERE expires_at < $1;

-- name: server_clock
SELECT clock_timestamp();

-- name: ping
SELECT 1;

-- name: going_events
SELECT tenant_id, id FROM events
WHERE (policy #>> '{window,ends}')::timestamptz > $1::timestamptz - interval '1 day' AND state <> 'cancelled' ORDER BY tenant_id, id;

-- name: running_endings
SELECT tenant_id, event_id FROM event_endings WHERE state = 'running' ORDER BY updated_at LIMIT $1;

-- name: waiting_imports
-- What is being received is left alone unless nothing came for long: whoever sent it is gone.
SELECT tenant_id, id FROM imports
WHERE state IN ('staged', 'holding', 'releasing', 'applying') OR (state = 'receiving' AND updated_at < $2) ORDER BY updated_at LIMIT $1;

-- name: events_to_erase
-- Whose people are to be forgotten: over since before a moment, and not yet done. A draft that was never sold has no people.
SELECT tenant_id, id FROM events
WHERE people_erased_at IS NULL AND (policy #>> '{window,ends}')::timestamptz < $1::timestamptz ORDER BY id LIMIT $2;
