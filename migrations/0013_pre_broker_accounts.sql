-- What gates shall find at the message broker, which is brought into line with this; and what gates sent that cannot be taken.

CREATE TABLE broker_accounts (
  tenant_id        uuid NOT NULL,
  gate_id          uuid NOT NULL,
  password_hash    text NOT NULL CHECK (length(password_hash) BETWEEN 16 AND 200), -- salted, in the broker's own form
  applied_hash     text,        -- what the broker was last given, NULL: nothing yet
  applied_event_id uuid,
  removed_at       timestamptz, -- after the gate was revoked
  created_at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, gate_id),
  FOREIGN KEY (tenant_id, gate_id) REFERENCES gates (tenant_id, id)
);
CALL protect('broker_accounts');
GRANT SELECT, INSERT, UPDATE ON broker_accounts TO tt_app;
GRANT SELECT, UPDATE ON broker_accounts TO tt_worker;
GRANT SELECT (tenant_id, id, event_id, revoked_at) ON gates TO tt_worker;

CREATE TABLE event_streams (
  tenant_id    uuid NOT NULL,
  event_id     uuid NOT NULL,
  declared_at  timestamptz,     -- NULL: the broker has no such stream yet, or lost it
  begun_seq    bigint,          -- what the stream's first snapshot stands for; NULL: nothing was published yet
  published    bigint NOT NULL DEFAULT 0,
  snapshot_id  text,            -- the newest one in the stream
  snapshot_seq bigint NOT NULL DEFAULT 0,
  snapshot_at  timestamptz,
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, event_id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id)
);
CALL protect('event_streams');
GRANT SELECT, INSERT ON event_streams TO tt_app;
GRANT SELECT, UPDATE ON event_streams TO tt_worker;

-- A batch is kept once, however often it comes; the gate is told what is wrong with it.
CREATE TABLE scan_quarantine (
  tenant_id   uuid NOT NULL,
  gate_id     uuid NOT NULL,
  body_hash   bytea NOT NULL CHECK (octet_length(body_hash) = 32),
  reason      text NOT NULL,
  body        bytea NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, gate_id, body_hash),
  FOREIGN KEY (tenant_id, gate_id) REFERENCES gates (tenant_id, id)
);
CALL protect('scan_quarantine');
GRANT SELECT, INSERT ON scan_quarantine TO tt_app;

CREATE FUNCTION announce_broker() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
  PERFORM pg_notify('broker', '');
  RETURN NULL;
END
$$;
CREATE TRIGGER broker_accounts_announce AFTER INSERT OR UPDATE OF password_hash ON broker_accounts
  FOR EACH STATEMENT EXECUTE FUNCTION announce_broker();
CREATE TRIGGER gates_announce_broker AFTER UPDATE OF revoked_at, event_id ON gates
  FOR EACH STATEMENT EXECUTE FUNCTION announce_broker();
