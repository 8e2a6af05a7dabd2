-- name: append
-- WITH ORDINALITY keeps the given order: ids are handed out in it.
INSERT INTO outbox (tenant_id, event_id, topic, body, trace)
SELECT current_tenant(), $1, 'feed', entry.body, $3
FROM unnest($2::bytea[]) WITH ORDINALITY AS entry (body, n) ORDER BY entry.n;
