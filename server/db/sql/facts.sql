-- name: add
-- WITH ORDINALITY keeps the given order: ids are handed out in it.
INSERT INTO facts (tenant_id, message_id, key, subject, payload, occurred_at, correlation_id)
SELECT current_tenant(), fact.message_id, fact.key, fact.subject, fact.payload, fact.occurred_at, fact.correlation_id
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[], $5::timestamptz[], $6::text[])
  WITH ORDINALITY AS fact (message_id, key, subject, payload, occurred_at, correlation_id, n)
ORDER BY fact.n;
