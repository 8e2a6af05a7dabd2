-- Who else may call: outside systems' API keys, other services' secrets, and the supervisors whose PINs gates know.

-- The secret part is 32 random bytes, so its SHA-256 is enough: nobody can try them all, and a slow hash would slow every call.
CREATE TABLE api_keys (
  tenant_id    uuid NOT NULL REFERENCES tenants (id),
  id           uuid NOT NULL,
  name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  secret_hash  bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
  scopes       text[] NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 20),
  event_id     uuid,                       -- NULL: all of the tenant's events
  created_by   uuid NOT NULL,
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz,
  last_used_at timestamptz,                -- to within some minutes
  revoked_at   timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id)
);
CALL protect('api_keys');
GRANT SELECT, INSERT, UPDATE (last_used_at, revoked_at) ON api_keys TO tt_app;

CREATE TABLE service_callers (
  tenant_id  uuid NOT NULL REFERENCES tenants (id),
  name       text NOT NULL CHECK (name ~ '^[a-z][a-z0-9-]{1,39}$'),
  calls      text[] NOT NULL CHECK (cardinality(calls) BETWEEN 1 AND 20), -- what it may call; nothing else
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, name)
);
CALL protect('service_callers');
GRANT SELECT, INSERT, DELETE, UPDATE (calls) ON service_callers TO tt_app;

-- Checking a signature takes the secret itself, so it is kept wrapped, not hashed. Two may overlap while a caller changes over.
CREATE TABLE service_secrets (
  tenant_id  uuid NOT NULL,
  caller     text NOT NULL,
  id         uuid NOT NULL,
  wrapped    bytea NOT NULL,
  created_at timestamptz NOT NULL,
  ends_at    timestamptz,                  -- set when it is replaced
  PRIMARY KEY (tenant_id, caller, id),
  FOREIGN KEY (tenant_id, caller) REFERENCES service_callers (tenant_id, name) ON DELETE CASCADE
);
CALL protect('service_secrets');
GRANT SELECT, INSERT, DELETE, UPDATE (wrapped, ends_at) ON service_secrets TO tt_app;

CREATE TABLE supervisors (
  tenant_id  uuid NOT NULL REFERENCES tenants (id),
  id         uuid NOT NULL,
  name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  verifier   text NOT NULL CHECK (length(verifier) BETWEEN 20 AND 200), -- Argon2id, PHC string
  event_id   uuid,                         -- NULL: at all events
  gates      uuid[] NOT NULL DEFAULT '{}', -- empty: at all gates
  created_at timestamptz NOT NULL,
  removed_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id)
);
CALL protect('supervisors');
GRANT SELECT, INSERT, UPDATE (verifier, removed_at) ON supervisors TO tt_app;

-- What is checked in by way of the server itself is the log of a gate of its own, one for each event. It has keys nobody holds.
ALTER TABLE gates ADD COLUMN kind text NOT NULL DEFAULT 'device' CHECK (kind IN ('device', 'server'));
