-- From interest to money: reservations hold stock for a while, orders say that somebody paid.

CREATE TABLE reservations (
  tenant_id   uuid NOT NULL,
  id          uuid NOT NULL,
  event_id    uuid NOT NULL,
  user_id     uuid NOT NULL,
  state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'confirmed', 'expired', 'cancelled')),
  total_cents bigint NOT NULL CHECK (total_cents >= 0),
  currency    char(3) NOT NULL,
  expires_at  timestamptz NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id)
);
CREATE INDEX reservations_of_user ON reservations (tenant_id, user_id, event_id);
CREATE INDEX reservations_to_expire ON reservations (expires_at) WHERE state = 'pending';
CALL protect('reservations');
GRANT SELECT, INSERT, UPDATE ON reservations TO tt_app;
GRANT SELECT, UPDATE (state) ON reservations TO tt_worker;

CREATE TABLE reservation_lines (
  tenant_id      uuid NOT NULL,
  reservation_id uuid NOT NULL,
  ticket_type_id uuid NOT NULL,
  quantity       smallint NOT NULL CHECK (quantity BETWEEN 1 AND 10),
  price_cents    integer NOT NULL CHECK (price_cents >= 0),
  PRIMARY KEY (tenant_id, reservation_id, ticket_type_id),
  FOREIGN KEY (tenant_id, reservation_id) REFERENCES reservations (tenant_id, id),
  FOREIGN KEY (tenant_id, ticket_type_id) REFERENCES ticket_types (tenant_id, id)
);
CALL protect('reservation_lines');
GRANT SELECT, INSERT ON reservation_lines TO tt_app;
GRANT SELECT ON reservation_lines TO tt_worker;

CREATE TABLE orders (
  tenant_id      uuid NOT NULL,
  id             uuid NOT NULL,
  reservation_id uuid NOT NULL,
  user_id        uuid NOT NULL,
  payment_id     text NOT NULL CHECK (length(payment_id) BETWEEN 1 AND 200),
  total_cents    bigint NOT NULL CHECK (total_cents >= 0),
  currency       char(3) NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, reservation_id),
  UNIQUE (tenant_id, payment_id), -- one payment buys once
  FOREIGN KEY (tenant_id, reservation_id) REFERENCES reservations (tenant_id, id)
);
CALL protect('orders');
GRANT SELECT, INSERT ON orders TO tt_app;

-- The answer to a call that moves money, stock or ownership, kept so that repeating the call repeats the answer.
CREATE TABLE idempotency (
  tenant_id  uuid NOT NULL REFERENCES tenants (id),
  user_id    uuid NOT NULL,
  operation  text NOT NULL,
  key        text NOT NULL CHECK (length(key) BETWEEN 16 AND 64),
  body_hash  bytea NOT NULL,
  status     smallint NOT NULL, -- written with the effect itself: a call that failed leaves nothing
  response   bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, user_id, operation, key)
);
CREATE INDEX idempotency_to_forget ON idempotency (created_at);
CALL protect('idempotency');
GRANT SELECT, INSERT, UPDATE ON idempotency TO tt_app;
GRANT SELECT, DELETE ON idempotency TO tt_worker;
