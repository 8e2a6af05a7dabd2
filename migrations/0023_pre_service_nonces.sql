-- Which signed calls came already. Of no tenant's row: the built-in caller may name any. Kept here and not in memory, so that a call
-- counts once however many server processes there are and whichever of them was restarted.

CREATE TABLE service_nonces (
  tenant_id uuid NOT NULL,
  caller    text NOT NULL,
  nonce     text NOT NULL CHECK (length(nonce) BETWEEN 16 AND 64),
  ends_at   timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, caller, nonce)
);
CREATE INDEX service_nonces_to_forget ON service_nonces (ends_at);
CALL protect('service_nonces');
GRANT SELECT, INSERT ON service_nonces TO tt_app;
GRANT SELECT (ends_at), DELETE ON service_nonces TO tt_worker;
