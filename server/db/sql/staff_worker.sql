-- name: find
SELECT tenant_id, id FROM staff_accounts WHERE login = $1;
