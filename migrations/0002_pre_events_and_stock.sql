-- Venues, events and what they sell. Stock is a counter per ticket type: available + reserved + sold = total, always.

CREATE TABLE venues (
  tenant_id  uuid NOT NULL REFERENCES tenants (id),
  id         uuid NOT NULL,
  name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id)
);
CALL protect('venues');
GRANT SELECT, INSERT, UPDATE ON venues TO tt_app;

CREATE TABLE events (
  tenant_id      uuid NOT NULL,
  id             uuid NOT NULL,
  venue_id       uuid NOT NULL,
  name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  state          text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'open', 'closed', 'cancelled')),
  policy         jsonb NOT NULL,                 -- shared.admission.policy.Policy
  sale_starts    timestamptz NOT NULL,
  sale_ends      timestamptz NOT NULL,
  max_per_user   integer NOT NULL DEFAULT 20 CHECK (max_per_user > 0),
  slot_s         smallint NOT NULL DEFAULT 15 CHECK (slot_s BETWEEN 10 AND 60),
  epoch_zero     timestamptz NOT NULL,           -- start of key epoch 0
  epoch_s        integer NOT NULL DEFAULT 86400 CHECK (epoch_s BETWEEN 3600 AND 604800),
  reveal_at      timestamptz NOT NULL,           -- phones get their seeds from here on
  bundle_version bigint NOT NULL DEFAULT 1,      -- raised whenever keys or policy change
  created_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, venue_id) REFERENCES venues (tenant_id, id),
  CHECK (sale_starts < sale_ends)
);
CALL protect('events');
GRANT SELECT, INSERT, UPDATE ON events TO tt_app;
GRANT SELECT ON events TO tt_worker;

CREATE TABLE ticket_types (
  tenant_id     uuid NOT NULL,
  id            uuid NOT NULL,
  event_id      uuid NOT NULL,
  product       integer NOT NULL CHECK (product BETWEEN 0 AND 65535), -- the short number inside codes
  name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  price_cents   integer NOT NULL CHECK (price_cents >= 0),
  currency      char(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  zones         integer NOT NULL DEFAULT 1 CHECK (zones BETWEEN 0 AND 65535),
  entries       smallint NOT NULL DEFAULT 0 CHECK (entries BETWEEN 0 AND 255),
  code_policy   smallint NOT NULL DEFAULT 0 CHECK (code_policy BETWEEN 0 AND 255),
  max_per_order smallint NOT NULL DEFAULT 10 CHECK (max_per_order BETWEEN 1 AND 10),
  total         integer NOT NULL CHECK (total >= 0),
  available     integer NOT NULL CHECK (available >= 0),
  reserved      integer NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  sold          integer NOT NULL DEFAULT 0 CHECK (sold >= 0),
  created_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, event_id, product),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id),
  CHECK (available + reserved + sold = total)
);
CALL protect('ticket_types');
GRANT SELECT, INSERT, UPDATE ON ticket_types TO tt_app;
GRANT SELECT, UPDATE (available, reserved) ON ticket_types TO tt_worker;
