-- What other programs are told (facts, written in the transaction that made them true) and what they told us.

-- Published by one publisher at a time, in the order of ids for each subject; a row goes when the broker has confirmed it.
CREATE TABLE facts (
  id             bigint GENERATED ALWAYS AS IDENTITY,
  tenant_id      uuid NOT NULL, -- of no table: a row lock on its tenant would be shared by all sales
  message_id     uuid NOT NULL,
  key            text NOT NULL CHECK (length(key) BETWEEN 1 AND 100),  -- the routing key
  subject        uuid NOT NULL,                                        -- what it is about: ticket, reservation or payment
  correlation_id text CHECK (length(correlation_id) <= 200),
  payload        bytea NOT NULL CHECK (octet_length(payload) <= 65536), -- a JSON object
  occurred_at    timestamptz NOT NULL,
  attempts       smallint NOT NULL DEFAULT 0,
  retry_at       timestamptz,
  parked_at      timestamptz,                                          -- given up; kept until a person decides
  problem        text,                                                 -- the code of what went wrong last
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX facts_in_order ON facts (id) WHERE parked_at IS NULL; -- the publisher reads across tenants
CREATE INDEX facts_waiting_again ON facts (subject, id) WHERE parked_at IS NULL AND retry_at IS NOT NULL;
CREATE INDEX facts_parked ON facts (id) WHERE parked_at IS NOT NULL;
CALL protect('facts');
GRANT SELECT, INSERT ON facts TO tt_app;
GRANT SELECT, DELETE, UPDATE (attempts, retry_at, parked_at, problem) ON facts TO tt_worker;

-- Messages that had their effect: written in the same transaction as the effect, so that a repeated one is known.
CREATE TABLE inbox (
  tenant_id   uuid NOT NULL REFERENCES tenants (id),
  message_id  text NOT NULL CHECK (length(message_id) BETWEEN 1 AND 200),
  event       text NOT NULL,
  body_hash   bytea NOT NULL CHECK (octet_length(body_hash) = 32),
  outcome     text NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, message_id)
);
CREATE INDEX inbox_to_forget ON inbox (received_at);
CALL protect('inbox');
GRANT SELECT, INSERT ON inbox TO tt_app;
GRANT SELECT, DELETE ON inbox TO tt_worker;

-- What the payment service told, by its own reference.
CREATE TABLE payment_facts (
  tenant_id      uuid NOT NULL REFERENCES tenants (id),
  payment_id     text NOT NULL CHECK (length(payment_id) BETWEEN 1 AND 200),
  state          text NOT NULL CHECK (state IN ('completed', 'failed', 'refunded')), -- refunded: its return was asked for
  amount_cents   bigint NOT NULL CHECK (amount_cents >= 0),
  currency       char(3) NOT NULL,
  reservation_id uuid,
  told_at        timestamptz NOT NULL,                                 -- the sender's time of what was told last
  PRIMARY KEY (tenant_id, payment_id)
);
CALL protect('payment_facts');
GRANT SELECT, INSERT, UPDATE ON payment_facts TO tt_app;

-- Why messages ended as dead letters, since the broker keeps the message and not our reason. A message may name no tenant
-- of ours, so this is no tenant's table, and holds codes and our own sentences, never what was in the message.
CREATE TABLE refused_messages (
  message_id text PRIMARY KEY CHECK (length(message_id) BETWEEN 1 AND 255),
  queue      text NOT NULL,
  key        text NOT NULL,
  code       text NOT NULL,
  reason     text NOT NULL,
  refused_at timestamptz NOT NULL
);
CREATE INDEX refused_messages_to_forget ON refused_messages (refused_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON refused_messages TO tt_worker;
