-- What the publisher does on its own session, as tt_worker. The index on ids holds no parked facts, so each statement leaves them out:
-- without it every batch would read the whole table, and a long outage of the broker makes that a large one.

-- name: lead
SELECT pg_try_advisory_lock(hashtextextended('tickettoken.publisher', 0));

-- name: waiting
-- An earlier fact of the same subject that waits for another try holds the later ones back, itself included.
SELECT id, tenant_id AS tenant, message_id, key, subject, payload, occurred_at, correlation_id, attempts
FROM facts AS fact
WHERE parked_at IS NULL AND NOT EXISTS (
  SELECT FROM facts AS earlier
  WHERE earlier.subject = fact.subject AND earlier.id <= fact.id AND earlier.parked_at IS NULL AND earlier.retry_at > $1
)
ORDER BY id LIMIT $2;

-- name: published
DELETE FROM facts WHERE id = ANY($1::bigint[]) AND parked_at IS NULL;

-- name: postpone
UPDATE facts SET attempts = least(attempts + 1, 32767), retry_at = $2, problem = $3
WHERE id = $1 AND parked_at IS NULL;

-- name: park
UPDATE facts SET attempts = least(attempts + 1, 32767), parked_at = $2, problem = $3
WHERE id = $1 AND parked_at IS NULL;
