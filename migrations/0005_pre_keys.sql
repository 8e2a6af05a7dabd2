-- Keys at rest, always wrapped by the operator's key-encryption key; only public parts are in the clear.

CREATE TABLE tenant_keys (
  tenant_id  uuid NOT NULL REFERENCES tenants (id),
  id         integer NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('master', 'config')),
  wrapped    bytea NOT NULL,
  public     bytea,            -- of a config key
  created_at timestamptz NOT NULL DEFAULT now(),
  retired_at timestamptz,
  PRIMARY KEY (tenant_id, kind, id)
);
CALL protect('tenant_keys');
GRANT SELECT, INSERT, UPDATE ON tenant_keys TO tt_app;

CREATE TABLE event_epochs (
  tenant_id        uuid NOT NULL,
  event_id         uuid NOT NULL,
  epoch            integer NOT NULL CHECK (epoch BETWEEN 0 AND 65535),
  starts           timestamptz NOT NULL,
  ends             timestamptz NOT NULL,
  slot_s           smallint NOT NULL,
  envelope_wrapped bytea NOT NULL,
  issuer_wrapped   bytea NOT NULL,
  issuer_public    bytea NOT NULL,
  created_at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, event_id, epoch),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id),
  CHECK (starts < ends)
);
CALL protect('event_epochs');
GRANT SELECT, INSERT, UPDATE ON event_epochs TO tt_app;
