-- The mint worker's own session, as tt_worker.

-- name: lead
SELECT pg_try_advisory_lock(hashtextextended('tickettoken.mint', 0));
