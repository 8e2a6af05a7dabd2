-- name: next_number
UPDATE gates SET commands = commands + 1 WHERE tenant_id = current_tenant() AND id = $1 RETURNING commands;

-- name: raise_number
UPDATE gates SET commands = greatest(commands, $2) WHERE tenant_id = current_tenant() AND id = $1;

-- name: add
INSERT INTO gate_commands (tenant_id, gate_id, number, id, kind, body, created_by, created_at, expires_at)
VALUES (current_tenant(), $1, $2, $3, $4, $5, $6, $7, $8);

-- name: get
SELECT gate_id AS gate, number, id, kind, body, created_by, created_at, expires_at, sent_at, settled_at, outcome, message
FROM gate_commands WHERE tenant_id = current_tenant() AND id = $1;

-- name: open
SELECT gate_id AS gate, number, id, kind, body, created_by, created_at, expires_at, sent_at, settled_at, outcome, message
FROM gate_commands
WHERE tenant_id = current_tenant() AND gate_id = $1 AND settled_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
ORDER BY number LIMIT $3;

-- name: mark_sent
UPDATE gate_commands SET sent_at = $3
WHERE tenant_id = current_tenant() AND gate_id = $1 AND number <= $2 AND settled_at IS NULL;

-- name: settle
UPDATE gate_commands SET settled_at = $5, outcome = $4, message = $6
WHERE tenant_id = current_tenant() AND gate_id = $1 AND id = $2 AND number = $3 AND settled_at IS NULL
RETURNING gate_id AS gate, number, id, kind, body, created_by, created_at, expires_at, sent_at, settled_at, outcome, message;

-- name: supersede
UPDATE gate_commands SET settled_at = $2, outcome = 'superseded'
WHERE tenant_id = current_tenant() AND gate_id = $1 AND settled_at IS NULL;

-- name: of_gate
SELECT gate_id AS gate, number, id, kind, body, created_by, created_at, expires_at, sent_at, settled_at, outcome, message
FROM gate_commands AS c
WHERE c.tenant_id = current_tenant() AND c.gate_id = $1
  AND ($2::uuid IS NULL OR c.number < (
    SELECT o.number FROM gate_commands AS o WHERE o.tenant_id = current_tenant() AND o.gate_id = $1 AND o.id = $2))
ORDER BY c.number DESC LIMIT $3;
