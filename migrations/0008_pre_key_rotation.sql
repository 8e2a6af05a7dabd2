-- Rotation: which master made a ticket's handle and seed, which config key a gate believes, and epoch keys that were replaced.
--
-- Everything that was there before was made with key 1 of its kind.

ALTER TABLE tickets ADD COLUMN master_id integer NOT NULL DEFAULT 1;        -- of the present generation
ALTER TABLE ticket_handles ADD COLUMN master_id integer NOT NULL DEFAULT 1; -- of each generation
CREATE INDEX ticket_handles_of_master ON ticket_handles (tenant_id, master_id);

ALTER TABLE gates ADD COLUMN config_id integer NOT NULL DEFAULT 1;          -- the newest config key this gate is known to believe

ALTER TABLE events
  ADD COLUMN key_series   integer NOT NULL DEFAULT 0, -- raised whenever stored epoch keys are replaced
  ADD COLUMN config_id    integer NOT NULL DEFAULT 1, -- the config key this event's gates are to believe
  ADD COLUMN config_since bigint NOT NULL DEFAULT 1;  -- the bundle_version from which on they are told so

-- A replaced key still opens codes until accepted_until, NULL meaning until its epoch ends. What signed them is not kept.
CREATE TABLE replaced_epochs (
  tenant_id        uuid NOT NULL,
  id               bigint GENERATED ALWAYS AS IDENTITY,
  event_id         uuid NOT NULL,
  epoch            integer NOT NULL CHECK (epoch BETWEEN 0 AND 65535),
  starts           timestamptz NOT NULL,
  ends             timestamptz NOT NULL,
  slot_s           smallint NOT NULL,
  envelope_wrapped bytea NOT NULL,
  issuer_public    bytea NOT NULL,
  accepted_until   timestamptz,
  replaced_at      timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id)
);
CREATE INDEX replaced_epochs_of_event ON replaced_epochs (tenant_id, event_id, epoch);
CALL protect('replaced_epochs');
GRANT SELECT, INSERT, UPDATE ON replaced_epochs TO tt_app;
