-- Across tenants, as tt_worker: why messages became dead letters, and facts that were given up.

-- name: refuse
INSERT INTO refused_messages (message_id, queue, key, code, reason, refused_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (message_id) DO UPDATE SET
  queue = excluded.queue, key = excluded.key, code = excluded.code, reason = excluded.reason, refused_at = excluded.refused_at;

-- name: refusals
SELECT message_id, queue, key, code, reason, refused_at FROM refused_messages WHERE message_id = ANY ($1::text[]);

-- name: forget_refusals
DELETE FROM refused_messages WHERE refused_at < $1;

-- name: forget_inbox
DELETE FROM inbox WHERE received_at < $1;

-- name: count_parked
SELECT count(*) FROM facts WHERE parked_at IS NOT NULL;

-- name: oldest_waiting
SELECT count(*) AS waiting, min(occurred_at) AS oldest FROM facts WHERE parked_at IS NULL;

-- name: parked
SELECT message_id, key, coalesce(problem, '') AS problem, parked_at
FROM facts WHERE parked_at IS NOT NULL ORDER BY id LIMIT $1;

-- name: release_parked
UPDATE facts SET parked_at = NULL, retry_at = NULL, attempts = 0
WHERE parked_at IS NOT NULL AND ($1::uuid[] IS NULL OR message_id = ANY ($1::uuid[]));
