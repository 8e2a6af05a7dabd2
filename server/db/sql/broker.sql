-- name: want_account
-- A gate that asks again gets another password; the broker is brought into line afterwards.
INSERT INTO broker_accounts (tenant_id, gate_id, password_hash) VALUES (current_tenant(), $1, $2)
ON CONFLICT (tenant_id, gate_id) DO UPDATE SET password_hash = excluded.password_hash, removed_at = NULL;

-- name: want_stream
INSERT INTO event_streams (tenant_id, event_id) VALUES (current_tenant(), $1) ON CONFLICT DO NOTHING;

-- name: stream
SELECT tenant_id AS tenant, event_id AS event, declared_at, begun_seq, published, snapshot_id AS snapshot, snapshot_seq, snapshot_at,
  edition
FROM event_streams WHERE tenant_id = current_tenant() AND event_id = $1;

-- name: fed_at
SELECT created_at FROM feed WHERE tenant_id = current_tenant() AND event_id = $1 AND seq = $2;

-- name: quarantine
INSERT INTO scan_quarantine (tenant_id, gate_id, body_hash, reason, body)
SELECT current_tenant(), $1, $2, $3, $4
WHERE (SELECT count(*) FROM scan_quarantine WHERE tenant_id = current_tenant() AND gate_id = $1) < $5
ON CONFLICT DO NOTHING;

-- name: quarantined
SELECT body_hash, reason, body, received_at FROM scan_quarantine
WHERE tenant_id = current_tenant() AND gate_id = $1 ORDER BY received_at, body_hash LIMIT $2;

-- name: is_quarantined
SELECT EXISTS (
  SELECT 1 FROM scan_quarantine WHERE tenant_id = current_tenant() AND gate_id = $1 AND body_hash = $2);

-- name: count_quarantined
SELECT q.gate_id AS gate, count(*) AS batches
FROM scan_quarantine AS q JOIN gates AS g ON (g.tenant_id, g.id) = (q.tenant_id, q.gate_id)
WHERE q.tenant_id = current_tenant() AND g.event_id = $1 GROUP BY q.gate_id;
