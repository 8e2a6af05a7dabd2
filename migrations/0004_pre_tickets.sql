-- Tickets, every step of their lives, and the trigger that knows the same state table as the program.

CREATE TABLE ticket_transitions (
  from_state text NOT NULL,
  to_state   text NOT NULL,
  PRIMARY KEY (from_state, to_state)
);
INSERT INTO ticket_transitions (from_state, to_state) VALUES
  ('available', 'reserved'), ('available', 'sold'), ('available', 'cancelled'),
  ('reserved', 'available'), ('reserved', 'sold'), ('reserved', 'expired'), ('reserved', 'cancelled'),
  ('sold', 'active'), ('sold', 'minted'), ('sold', 'refunded'), ('sold', 'revoked'), ('sold', 'cancelled'),
  ('minted', 'active'), ('minted', 'refunded'), ('minted', 'revoked'), ('minted', 'cancelled'),
  ('active', 'transferred'), ('active', 'checked_in'), ('active', 'refunded'), ('active', 'revoked'),
  ('active', 'expired'), ('active', 'cancelled'), ('active', 'used'),
  ('transferred', 'transferred'), ('transferred', 'checked_in'), ('transferred', 'refunded'), ('transferred', 'revoked'),
  ('transferred', 'expired'), ('transferred', 'cancelled'), ('transferred', 'used'),
  ('checked_in', 'active'), ('checked_in', 'transferred'), ('checked_in', 'used'), ('checked_in', 'revoked');
GRANT SELECT ON ticket_transitions TO tt_app, tt_worker;

CREATE TABLE tickets (
  tenant_id      uuid NOT NULL,
  id             uuid NOT NULL,
  event_id       uuid NOT NULL,
  ticket_type_id uuid NOT NULL,
  order_id       uuid,
  owner_id       uuid,
  holder_name    text NOT NULL DEFAULT '' CHECK (length(holder_name) <= 500),
  seat           text NOT NULL DEFAULT '' CHECK (length(seat) <= 100),
  state          text NOT NULL CHECK (state IN (
    'available', 'reserved', 'sold', 'minted', 'active', 'transferred', 'checked_in',
    'used', 'revoked', 'refunded', 'expired', 'cancelled')),
  generation     integer NOT NULL DEFAULT 0 CHECK (generation >= 0),
  version        integer NOT NULL DEFAULT 1 CHECK (version >= 1),
  locked         text,                                   -- the reason, while the ticket is locked
  valid_from     timestamptz,
  valid_until    timestamptz,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id),
  FOREIGN KEY (tenant_id, ticket_type_id) REFERENCES ticket_types (tenant_id, id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
CREATE INDEX tickets_of_event ON tickets (tenant_id, event_id, id);
CREATE INDEX tickets_of_owner ON tickets (tenant_id, owner_id, id);
CREATE INDEX tickets_of_order ON tickets (tenant_id, order_id);
CALL protect('tickets');
GRANT SELECT, INSERT, UPDATE ON tickets TO tt_app;
GRANT SELECT, UPDATE (state, version, updated_at) ON tickets TO tt_worker;

CREATE FUNCTION check_ticket_step() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
  IF NEW.version <> OLD.version + 1 THEN
    RAISE EXCEPTION 'a ticket change must raise its version by one' USING ERRCODE = 'TT001';
  END IF;
  IF NEW.generation < OLD.generation THEN
    RAISE EXCEPTION 'a ticket generation never goes back' USING ERRCODE = 'TT001';
  END IF;
  IF (NEW.tenant_id, NEW.id, NEW.event_id) <> (OLD.tenant_id, OLD.id, OLD.event_id) THEN
    RAISE EXCEPTION 'a ticket cannot change its event' USING ERRCODE = 'TT001';
  END IF;
  IF NEW.state <> OLD.state AND NOT EXISTS (
    SELECT FROM ticket_transitions WHERE from_state = OLD.state AND to_state = NEW.state
  ) THEN
    RAISE EXCEPTION 'no step from % to %', OLD.state, NEW.state USING ERRCODE = 'TT002';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER tickets_step BEFORE UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION check_ticket_step();

-- Under which hashes gates know a ticket: one per generation, so that old codes can be told from unknown ones.
CREATE TABLE ticket_handles (
  tenant_id   uuid NOT NULL,
  event_id    uuid NOT NULL,
  handle_hash bytea NOT NULL CHECK (octet_length(handle_hash) = 16),
  ticket_id   uuid NOT NULL,
  generation  integer NOT NULL,
  PRIMARY KEY (tenant_id, event_id, handle_hash),
  UNIQUE (tenant_id, ticket_id, generation),
  FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id)
);
CALL protect('ticket_handles');
GRANT SELECT, INSERT ON ticket_handles TO tt_app;

CREATE TABLE ticket_history (
  tenant_id  uuid NOT NULL,
  ticket_id  uuid NOT NULL,
  version    integer NOT NULL,
  from_state text,
  to_state   text NOT NULL,
  generation integer NOT NULL,
  actor_kind text NOT NULL CHECK (actor_kind IN ('holder', 'organiser', 'gate', 'system')),
  actor_id   text NOT NULL,
  reason     text,
  source     text NOT NULL,
  at         timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, ticket_id, version),
  FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id)
);
CALL protect('ticket_history');
GRANT SELECT, INSERT ON ticket_history TO tt_app;
GRANT SELECT, INSERT ON ticket_history TO tt_worker;

CREATE TABLE transfers (
  tenant_id       uuid NOT NULL,
  id              uuid NOT NULL,
  ticket_id       uuid NOT NULL,
  from_user_id    uuid NOT NULL,
  recipient_email text NOT NULL CHECK (length(recipient_email) BETWEEN 3 AND 254), -- lower case
  message         text NOT NULL DEFAULT '' CHECK (length(message) <= 500),
  state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'accepted', 'rejected', 'cancelled', 'expired')),
  to_user_id      uuid,
  expires_at      timestamptz NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  ended_at        timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id)
);
CREATE UNIQUE INDEX transfers_one_pending ON transfers (tenant_id, ticket_id) WHERE state = 'pending';
CREATE INDEX transfers_of_recipient ON transfers (tenant_id, recipient_email);
CREATE INDEX transfers_of_sender ON transfers (tenant_id, from_user_id, created_at);
CALL protect('transfers');
GRANT SELECT, INSERT, UPDATE ON transfers TO tt_app;
