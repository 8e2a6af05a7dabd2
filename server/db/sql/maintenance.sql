-- What the worker role does across tenants, and what anybody may ask of the server itself.

-- name: tenants
SELECT id FROM tenants ORDER BY id;

-- name: overdue_events
SELECT DISTINCT tenant_id, event_id FROM reservations WHERE state = 'pending' AND expires_at <= $1 LIMIT $2;

-- name: forget_answers
DELETE FROM idempotency WHERE created_at < $1;

-- name: forget_codes
DELETE FROM enrolment_codes WHERE expires_at < $1;

-- name: server_clock
SELECT clock_timestamp();

-- name: ping
SELECT 1;

-- name: going_events
SELECT tenant_id, id FROM events
WHERE (policy #>> '{window,ends}')::timestamptz > $1::timestamptz - interval '1 day' AND state <> 'cancelled' ORDER BY tenant_id, id;
