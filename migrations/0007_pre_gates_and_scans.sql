-- Gates, how they come to be, their logs as received, and the conflicts those logs prove.

CREATE TABLE gates (
  tenant_id      uuid NOT NULL,
  id             uuid NOT NULL,
  event_id       uuid NOT NULL,
  name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  direction      text NOT NULL DEFAULT 'entry' CHECK (direction IN ('entry', 'exit')),
  zones          integer NOT NULL DEFAULT 0 CHECK (zones BETWEEN 0 AND 65535),
  products       integer[] NOT NULL DEFAULT '{}',
  sign_public    bytea NOT NULL CHECK (octet_length(sign_public) = 32),
  seal_public    bytea NOT NULL CHECK (octet_length(seal_public) = 32),
  software       text NOT NULL DEFAULT '',
  enrolled_at    timestamptz NOT NULL DEFAULT now(),
  revoked_at     timestamptz,
  last_seen_at   timestamptz,
  heartbeat      jsonb,
  bundle_version bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id)
);
CREATE INDEX gates_of_event ON gates (tenant_id, event_id);
CALL protect('gates');
GRANT SELECT, INSERT, UPDATE ON gates TO tt_app;

CREATE TABLE enrolment_codes (
  tenant_id  uuid NOT NULL,
  code_hash  bytea NOT NULL CHECK (octet_length(code_hash) = 32),
  event_id   uuid NOT NULL,
  gate_name  text NOT NULL CHECK (length(gate_name) BETWEEN 1 AND 100),
  direction  text NOT NULL DEFAULT 'entry' CHECK (direction IN ('entry', 'exit')),
  zones      integer NOT NULL DEFAULT 0,
  products   integer[] NOT NULL DEFAULT '{}',
  expires_at timestamptz NOT NULL,
  used_at    timestamptz,
  gate_id    uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, code_hash),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id)
);
CALL protect('enrolment_codes');
GRANT SELECT, INSERT, UPDATE ON enrolment_codes TO tt_app;
GRANT SELECT, DELETE ON enrolment_codes TO tt_worker;

-- How far each log has been taken: the next record must extend this hash.
CREATE TABLE gate_logs (
  tenant_id   uuid NOT NULL,
  gate_id     uuid NOT NULL,
  incarnation uuid NOT NULL,
  acked       bigint NOT NULL DEFAULT 0,
  chain       bytea NOT NULL CHECK (octet_length(chain) = 32),
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, gate_id, incarnation),
  FOREIGN KEY (tenant_id, gate_id) REFERENCES gates (tenant_id, id)
);
CALL protect('gate_logs');
GRANT SELECT, INSERT, UPDATE ON gate_logs TO tt_app;

CREATE TABLE scans (
  tenant_id     uuid NOT NULL,
  gate_id       uuid NOT NULL,
  incarnation   uuid NOT NULL,
  gate_seq      bigint NOT NULL CHECK (gate_seq > 0),
  scan_id       uuid NOT NULL,
  event_id      uuid NOT NULL,
  ticket_id     uuid,                     -- NULL: fits no ticket ("unmatched"), kept all the same
  generation    integer,
  hlc           bigint NOT NULL,
  at            timestamptz NOT NULL,     -- the gate's clock
  received_at   timestamptz NOT NULL DEFAULT now(),
  direction     text NOT NULL CHECK (direction IN ('entry', 'exit')),
  admitted      boolean NOT NULL,
  reason        text NOT NULL,
  mode          text NOT NULL CHECK (mode IN ('online', 'offline')),
  proven        boolean NOT NULL,         -- the server recomputed the live code the gate says it saw
  server_reason text,                     -- what the rule says with everything the server knew on receipt
  body          bytea NOT NULL,           -- the record exactly as the gate signed it
  chain         bytea NOT NULL CHECK (octet_length(chain) = 32),
  PRIMARY KEY (tenant_id, gate_id, incarnation, gate_seq),
  UNIQUE (tenant_id, scan_id),
  FOREIGN KEY (tenant_id, gate_id) REFERENCES gates (tenant_id, id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id),
  FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id)
);
CREATE INDEX scans_of_ticket ON scans (tenant_id, ticket_id, hlc) WHERE ticket_id IS NOT NULL;
CREATE INDEX scans_of_event ON scans (tenant_id, event_id, at);
CALL protect('scans');
GRANT SELECT, INSERT ON scans TO tt_app;

CREATE TABLE conflicts (
  tenant_id       uuid NOT NULL,
  id              uuid NOT NULL,
  event_id        uuid NOT NULL,
  ticket_id       uuid NOT NULL,
  scan_id         uuid NOT NULL,          -- the admission that was one too many
  earlier_scan_id uuid,                   -- the one it collides with; NULL: none, the ticket itself was no longer good
  kind            text NOT NULL CHECK (kind IN ('race', 'clone', 'stale_state', 'staff_error', 'overridden')),
  severity        text NOT NULL CHECK (severity IN ('none', 'low', 'medium', 'high')),
  state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'acknowledged', 'resolved', 'withdrawn')),
  resolution      text CHECK (resolution IN ('benign', 'refund', 'ejected', 'fraud', 'staff_error')),
  evidence        jsonb NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, scan_id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id),
  FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id)
);
CREATE INDEX conflicts_of_event ON conflicts (tenant_id, event_id, created_at);
CREATE INDEX conflicts_of_ticket ON conflicts (tenant_id, ticket_id);
CALL protect('conflicts');
GRANT SELECT, INSERT, UPDATE ON conflicts TO tt_app;
