-- What the relay does on its own session, as tt_worker.

-- name: lead
SELECT pg_try_advisory_lock(hashtextextended('tickettoken.relay', 0));

-- name: waiting
SELECT id, tenant_id, event_id, body, trace FROM outbox WHERE topic = 'feed' ORDER BY id LIMIT $1;

-- name: remove
DELETE FROM outbox WHERE id = ANY($1::bigint[]);

-- name: reserve_numbers
-- Returns the last of the reserved numbers and the mark before them; the head's row lock keeps them without gap.
INSERT INTO feed_heads (tenant_id, event_id, seq) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id, event_id) DO UPDATE SET seq = feed_heads.seq + excluded.seq
RETURNING seq, mark;

-- name: set_mark
UPDATE feed_heads SET mark = $3 WHERE tenant_id = $1 AND event_id = $2;

-- name: publish
INSERT INTO feed (tenant_id, event_id, seq, body, mark)
SELECT $1, $2, entry.seq, entry.body, entry.mark
FROM unnest($3::bigint[], $4::bytea[], $5::bytea[]) AS entry (seq, body, mark);

-- name: announce
SELECT pg_notify('feed', $1);
