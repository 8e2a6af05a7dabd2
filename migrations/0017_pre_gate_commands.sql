-- What organisers want of single gates: numbered for each gate, signed when they are sent, acknowledged by the gate.

ALTER TABLE gates
  ADD COLUMN commands    bigint NOT NULL DEFAULT 0, -- the number of the newest command
  ADD COLUMN held_since  timestamptz,               -- until when NULL again, this gate is to let nobody in
  ADD COLUMN held_reason text CHECK (length(held_reason) BETWEEN 1 AND 200);

DROP INDEX gates_of_event;
CREATE INDEX gates_of_event ON gates (tenant_id, event_id, enrolled_at, id);

CREATE TABLE gate_commands (
  tenant_id  uuid NOT NULL,
  gate_id    uuid NOT NULL,
  number     bigint NOT NULL CHECK (number > 0),
  id         uuid NOT NULL,
  kind       text NOT NULL,
  body       bytea NOT NULL,     -- shared.sync.command.Order
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,        -- NULL: counts until it is done
  sent_at    timestamptz,        -- when it was last put on a link
  settled_at timestamptz,        -- NULL: nobody knows yet whether it was done
  outcome    text CHECK (outcome IN ('done', 'refused', 'expired', 'superseded')),
  message    text NOT NULL DEFAULT '' CHECK (length(message) <= 200),
  PRIMARY KEY (tenant_id, gate_id, number),
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, gate_id) REFERENCES gates (tenant_id, id),
  CHECK ((settled_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX gate_commands_open ON gate_commands (tenant_id, gate_id, number) WHERE settled_at IS NULL;
CALL protect('gate_commands');
GRANT SELECT, INSERT, UPDATE ON gate_commands TO tt_app;

CREATE FUNCTION announce_command() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
  PERFORM pg_notify('command', NEW.gate_id::text);
  RETURN NULL;
END
$$;
CREATE TRIGGER gate_commands_announce AFTER INSERT ON gate_commands FOR EACH ROW EXECUTE FUNCTION announce_command();
