-- name: enter_tenant
-- Of the transaction: nothing stays behind on the pooled connection. Sent with BEGIN on one round trip, which takes no
-- parameters: the tenant is a UUID, written in its canonical form.
SELECT set_config('app.tenant', '{tenant}', true);
