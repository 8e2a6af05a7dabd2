-- What an organiser shapes: rules of an event, zones and seats by name, tickets brought along from elsewhere, and an event's end.

ALTER TABLE events
  ADD COLUMN version        integer NOT NULL DEFAULT 1,  -- raised by every change an organiser makes
  ADD COLUMN transfer_rules jsonb NOT NULL DEFAULT '{}', -- server.domain.rules.TransferRules
  ADD COLUMN refund_rules   jsonb NOT NULL DEFAULT '{}'; -- server.domain.rules.RefundRules

ALTER TABLE ticket_types
  ADD COLUMN seated  boolean NOT NULL DEFAULT false,     -- each place has a label and is a ticket from the start
  ADD COLUMN version integer NOT NULL DEFAULT 1;

-- Names for the bits of an event's zone masks.
CREATE TABLE event_zones (
  tenant_id uuid NOT NULL,
  event_id  uuid NOT NULL,
  bit       smallint NOT NULL CHECK (bit BETWEEN 0 AND 15),
  name      text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  PRIMARY KEY (tenant_id, event_id, bit),
  UNIQUE (tenant_id, event_id, name),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id)
);
CALL protect('event_zones');
GRANT SELECT, INSERT, UPDATE ON event_zones TO tt_app;

-- A seat outlives the tickets for it: one that was taken back leaves the seat to the next.
CREATE TABLE seats (
  tenant_id      uuid NOT NULL,
  id             uuid NOT NULL,
  event_id       uuid NOT NULL,
  ticket_type_id uuid NOT NULL,
  label          text NOT NULL CHECK (length(label) BETWEEN 1 AND 100),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, event_id, label),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id),
  FOREIGN KEY (tenant_id, ticket_type_id) REFERENCES ticket_types (tenant_id, id)
);
CREATE INDEX seats_of_event ON seats (tenant_id, event_id, id);
CALL protect('seats');
GRANT SELECT, INSERT ON seats TO tt_app;
CREATE INDEX tickets_of_seat ON tickets (event_id, seat) WHERE seat <> '';
CREATE INDEX tickets_in_state ON tickets (event_id, state, id);

-- None of a ticket's indexes but its key begins with the tenant: while a young table has no statistics, all that do look alike
-- to the planner, and each check of a reference to a ticket would then walk through all tickets of the tenant.
DROP INDEX tickets_of_event;
DROP INDEX tickets_of_owner;
DROP INDEX tickets_of_order;
CREATE INDEX tickets_of_event ON tickets (event_id, id);
CREATE INDEX tickets_of_owner ON tickets (owner_id, id) INCLUDE (tenant_id, event_id);
CREATE INDEX tickets_of_order ON tickets (order_id);

-- The end of an event, worked off in batches: what is done is counted in the transaction that does it.
CREATE TABLE event_endings (
  tenant_id    uuid NOT NULL,
  event_id     uuid NOT NULL,
  kind         text NOT NULL CHECK (kind IN ('close', 'cancel')),
  state        text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done')),
  reason       text NOT NULL DEFAULT '' CHECK (length(reason) <= 500),
  actor_kind   text NOT NULL CHECK (actor_kind IN ('organiser', 'system')),
  actor_id     text NOT NULL,
  source       text NOT NULL,
  total        integer NOT NULL DEFAULT 0, -- tickets to go through, counted at the start
  used         integer NOT NULL DEFAULT 0,
  expired      integer NOT NULL DEFAULT 0,
  cancelled    integer NOT NULL DEFAULT 0,
  revoked      integer NOT NULL DEFAULT 0,
  reservations integer NOT NULL DEFAULT 0,
  transfers    integer NOT NULL DEFAULT 0,
  refunds      integer NOT NULL DEFAULT 0,
  started_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  finished_at  timestamptz,
  PRIMARY KEY (tenant_id, event_id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id)
);
CREATE INDEX event_endings_running ON event_endings (updated_at) WHERE state = 'running';
CALL protect('event_endings');
GRANT SELECT, INSERT, UPDATE ON event_endings TO tt_app;
GRANT SELECT (tenant_id, event_id, state, updated_at) ON event_endings TO tt_worker;

-- Money to be given back for tickets of a cancelled event; whoever pays it out marks it elsewhere.
CREATE TABLE cancelled_sales (
  tenant_id    uuid NOT NULL,
  ticket_id    uuid NOT NULL,
  event_id     uuid NOT NULL,
  order_id     uuid NOT NULL,
  payment_id   text NOT NULL,
  amount_cents integer NOT NULL CHECK (amount_cents >= 0),
  currency     char(3) NOT NULL,
  at           timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, ticket_id),
  FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
);
CREATE INDEX cancelled_sales_of_event ON cancelled_sales (tenant_id, event_id, ticket_id);
CALL protect('cancelled_sales');
GRANT SELECT, INSERT ON cancelled_sales TO tt_app;

-- A file of tickets: received and checked as a whole, then applied row by row or not at all.
CREATE TABLE imports (
  tenant_id   uuid NOT NULL,
  id          uuid NOT NULL,
  event_id    uuid NOT NULL,
  state       text NOT NULL CHECK (state IN ('receiving', 'staged', 'applying', 'done', 'refused')),
  actor_id    text NOT NULL,
  received    integer NOT NULL DEFAULT 0,  -- rows of the file
  known       integer NOT NULL DEFAULT 0,  -- of them, tickets that were there already
  applied     integer NOT NULL DEFAULT 0,  -- of them, tickets made
  faults      integer NOT NULL DEFAULT 0,  -- of them, rows that cannot be used; one is enough to refuse the file
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id)
);
CREATE UNIQUE INDEX imports_one_applying ON imports (tenant_id, event_id) WHERE state = 'applying';
CREATE INDEX imports_waiting ON imports (updated_at) WHERE state IN ('receiving', 'staged', 'applying');
CALL protect('imports');
GRANT SELECT, INSERT, UPDATE ON imports TO tt_app;
GRANT SELECT (tenant_id, id, state, updated_at) ON imports TO tt_worker;

CREATE TABLE import_rows (
  tenant_id      uuid NOT NULL,
  import_id      uuid NOT NULL,
  n              integer NOT NULL,           -- the row's number in the file, the header being row 1
  external_id    text NOT NULL,
  ticket_type_id uuid NOT NULL,
  holder_name    text NOT NULL,
  seat           text NOT NULL,
  owner_id       uuid,
  valid_from     timestamptz,
  valid_until    timestamptz,
  PRIMARY KEY (tenant_id, import_id, n),
  FOREIGN KEY (tenant_id, import_id) REFERENCES imports (tenant_id, id)
);
CREATE INDEX import_rows_by_name ON import_rows (import_id, external_id);
CALL protect('import_rows');
GRANT SELECT, INSERT, DELETE ON import_rows TO tt_app;

CREATE TABLE import_faults (
  tenant_id uuid NOT NULL,
  import_id uuid NOT NULL,
  n         integer NOT NULL,
  field     text NOT NULL,
  code      text NOT NULL,
  message   text NOT NULL,
  PRIMARY KEY (tenant_id, import_id, n, field, code),
  FOREIGN KEY (tenant_id, import_id) REFERENCES imports (tenant_id, id)
);
CALL protect('import_faults');
GRANT SELECT, INSERT ON import_faults TO tt_app;

-- Under which name a ticket was known where it came from: the same name never makes a second ticket.
CREATE TABLE imported_tickets (
  tenant_id   uuid NOT NULL,
  event_id    uuid NOT NULL,
  external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 100),
  ticket_id   uuid NOT NULL,
  import_id   uuid NOT NULL,
  PRIMARY KEY (tenant_id, event_id, external_id),
  FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id),
  FOREIGN KEY (tenant_id, import_id) REFERENCES imports (tenant_id, id)
);
CREATE INDEX imported_tickets_by_ticket ON imported_tickets (ticket_id);
CALL protect('imported_tickets');
GRANT SELECT, INSERT ON imported_tickets TO tt_app;
