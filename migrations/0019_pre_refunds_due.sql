-- Every sum that is to be given back: a row for each ticket, or one for a payment that bought nothing. It is written in the
-- transaction that asks for the money, and what is here already is not asked for again. Who pays out marks it elsewhere.

CREATE TABLE refunds_due (
  tenant_id      uuid NOT NULL REFERENCES tenants (id),
  id             uuid NOT NULL,
  payment_id     text NOT NULL CHECK (length(payment_id) BETWEEN 1 AND 200),
  ticket_id      uuid,               -- NULL: all of a payment that bought nothing
  event_id       uuid,
  order_id       uuid,
  reservation_id uuid,
  amount_cents   bigint NOT NULL CHECK (amount_cents > 0),
  currency       char(3) NOT NULL,
  reason         text NOT NULL CHECK (reason ~ '^[a-z][a-z_]{0,39}$'),
  at             timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id),
  FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id),
  FOREIGN KEY (tenant_id, reservation_id) REFERENCES reservations (tenant_id, id)
);
CREATE UNIQUE INDEX refunds_due_of_ticket ON refunds_due (tenant_id, ticket_id) WHERE ticket_id IS NOT NULL;
CREATE UNIQUE INDEX refunds_due_of_payment ON refunds_due (tenant_id, payment_id) WHERE ticket_id IS NULL;
CREATE INDEX refunds_due_of_event ON refunds_due (tenant_id, event_id, id);
-- What cancelled events owe was kept apart before. A program of before that is ending an event in this very moment fails at it, and
-- the new one goes on where it stopped. The owner sees no tenant's rows while row-level security binds it too.
ALTER TABLE cancelled_sales NO FORCE ROW LEVEL SECURITY;
INSERT INTO refunds_due (tenant_id, id, payment_id, ticket_id, event_id, order_id, amount_cents, currency, reason, at)
SELECT tenant_id, ticket_id, payment_id, ticket_id, event_id, order_id, amount_cents, currency, 'event_cancelled', at
FROM cancelled_sales WHERE amount_cents > 0;
DROP TABLE cancelled_sales;

CALL protect('refunds_due');
GRANT SELECT, INSERT ON refunds_due TO tt_app;

-- A payment that was told of and has bought nothing for long is given back; settled says that nobody needs to look any more.
ALTER TABLE payment_facts
  ADD COLUMN noted_at timestamptz NOT NULL DEFAULT now(), -- by our clock: the sender's may be anywhere
  ADD COLUMN settled  boolean NOT NULL DEFAULT false;
CREATE INDEX payment_facts_unsettled ON payment_facts (noted_at) WHERE state = 'completed' AND NOT settled;
GRANT SELECT (tenant_id, payment_id, state, noted_at, settled) ON payment_facts TO tt_worker;
