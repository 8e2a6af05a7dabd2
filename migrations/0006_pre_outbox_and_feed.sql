-- What happened (outbox, in the transaction that made it happen) and what every gate must know (feed, numbered by the relay).

CREATE TABLE outbox (
  id         bigint GENERATED ALWAYS AS IDENTITY,
  tenant_id  uuid NOT NULL,
  event_id   uuid NOT NULL,
  topic      text NOT NULL,     -- 'feed': body is a shared.sync.feed entry with seq 0
  body       bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id)
);
CREATE INDEX outbox_in_order ON outbox (id); -- the relay reads across tenants
CALL protect('outbox');
GRANT SELECT, INSERT ON outbox TO tt_app;
GRANT SELECT, DELETE ON outbox TO tt_worker;

CREATE FUNCTION announce_outbox() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
  PERFORM pg_notify('outbox', '');
  RETURN NULL;
END
$$;
CREATE TRIGGER outbox_announce AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION announce_outbox();

CREATE TABLE feed_heads (
  tenant_id uuid NOT NULL,
  event_id  uuid NOT NULL,
  seq       bigint NOT NULL CHECK (seq >= 0),
  PRIMARY KEY (tenant_id, event_id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id)
);
CALL protect('feed_heads');
GRANT SELECT ON feed_heads TO tt_app;
GRANT SELECT, INSERT, UPDATE ON feed_heads TO tt_worker;

CREATE TABLE feed (
  tenant_id  uuid NOT NULL,
  event_id   uuid NOT NULL,
  seq        bigint NOT NULL CHECK (seq > 0),
  body       bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, event_id, seq),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id)
);
CALL protect('feed');
GRANT SELECT ON feed TO tt_app;
GRANT SELECT, INSERT, DELETE ON feed TO tt_worker;

-- Snapshots are kept in the database so that every server process can serve every chunk.
CREATE TABLE feed_snapshots (
  tenant_id  uuid NOT NULL,
  event_id   uuid NOT NULL,
  id         uuid NOT NULL,
  seq        bigint NOT NULL,
  manifest   bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id)
);
CREATE INDEX feed_snapshots_newest ON feed_snapshots (tenant_id, event_id, seq DESC);
CALL protect('feed_snapshots');
GRANT SELECT, INSERT, DELETE ON feed_snapshots TO tt_app;
GRANT SELECT, DELETE ON feed_snapshots TO tt_worker;

CREATE TABLE feed_snapshot_chunks (
  tenant_id   uuid NOT NULL,
  snapshot_id uuid NOT NULL,
  n           integer NOT NULL CHECK (n >= 0),
  body        bytea NOT NULL,
  PRIMARY KEY (tenant_id, snapshot_id, n),
  -- checked at the end: chunks are written one by one while the snapshot is made, its manifest last
  FOREIGN KEY (tenant_id, snapshot_id) REFERENCES feed_snapshots (tenant_id, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);
CALL protect('feed_snapshot_chunks');
GRANT SELECT, INSERT, DELETE ON feed_snapshot_chunks TO tt_app;
GRANT SELECT, DELETE ON feed_snapshot_chunks TO tt_worker;
