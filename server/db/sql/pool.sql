-- name: enter_tenant
-- Of the transaction: nothing stays behind on the pooled connection.
SELECT set_config('app.tenant', $1, true);
