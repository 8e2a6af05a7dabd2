-- People who sign in to the operations page, where they are signed in, and what was done there.

CREATE TABLE staff_accounts (
  tenant_id   uuid NOT NULL REFERENCES tenants (id),
  id          uuid NOT NULL,
  login       text NOT NULL CHECK (length(login) BETWEEN 2 AND 100), -- lower case
  name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  role        text NOT NULL CHECK (role IN ('door_staff', 'box_office', 'venue_manager', 'admin')),
  verifier    text NOT NULL CHECK (length(verifier) BETWEEN 20 AND 200), -- Argon2id, PHC string
  created_at  timestamptz NOT NULL,
  disabled_at timestamptz,
  PRIMARY KEY (tenant_id, id)
);
-- Whoever signs in says a name and no tenant: the name has to lead to one account in the whole installation.
CREATE UNIQUE INDEX staff_accounts_by_login ON staff_accounts (login);
CALL protect('staff_accounts');
GRANT SELECT, INSERT, UPDATE (verifier, disabled_at) ON staff_accounts TO tt_app;
GRANT SELECT (tenant_id, id, login) ON staff_accounts TO tt_worker;

-- The secret of a session is 32 random bytes in a cookie; of it only the SHA-256 is kept.
CREATE TABLE staff_sessions (
  tenant_id   uuid NOT NULL,
  id          uuid NOT NULL,
  staff_id    uuid NOT NULL,
  secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
  agent       text NOT NULL DEFAULT '' CHECK (length(agent) <= 200), -- what the browser calls itself
  created_at  timestamptz NOT NULL,
  seen_at     timestamptz NOT NULL,      -- to within a minute
  expires_at  timestamptz NOT NULL,      -- however often it is used
  ended_at    timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, staff_id) REFERENCES staff_accounts (tenant_id, id)
);
CREATE INDEX staff_sessions_of_account ON staff_sessions (tenant_id, staff_id, created_at);
CREATE INDEX staff_sessions_to_forget ON staff_sessions (expires_at);
CALL protect('staff_sessions');
GRANT SELECT, INSERT, UPDATE (seen_at, ended_at) ON staff_sessions TO tt_app;
GRANT SELECT (expires_at), DELETE ON staff_sessions TO tt_worker;

-- Written before something is done, completed with what came of it: an entry without an outcome was interrupted.
CREATE TABLE audit_log (
  tenant_id  uuid NOT NULL REFERENCES tenants (id),
  id         uuid NOT NULL,              -- in the order of time
  at         timestamptz NOT NULL,
  actor_id   text NOT NULL CHECK (length(actor_id) BETWEEN 1 AND 100),
  actor_name text NOT NULL CHECK (length(actor_name) <= 100),
  action     text NOT NULL CHECK (length(action) BETWEEN 1 AND 60),
  subject    text NOT NULL DEFAULT '' CHECK (length(subject) <= 100),
  event_id   uuid,
  detail     text NOT NULL DEFAULT '' CHECK (length(detail) <= 1000),
  outcome    text CHECK (length(outcome) BETWEEN 1 AND 100),
  PRIMARY KEY (tenant_id, id)
);
CALL protect('audit_log');
GRANT SELECT, INSERT, UPDATE (outcome) ON audit_log TO tt_app;
