-- name: claim_call
-- Of the transaction: it ends with the effect, or with the failure that leaves no trace.
SELECT pg_try_advisory_xact_lock(
  hashtextextended(concat_ws('|', 'call', current_tenant(), $1::uuid, $2::text, $3::text), 0)
);

-- name: get_answer
SELECT body_hash, status, response FROM idempotency WHERE user_id = $1 AND operation = $2 AND key = $3;

-- name: keep_answer
INSERT INTO idempotency (tenant_id, user_id, operation, key, body_hash, status, response)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6);
