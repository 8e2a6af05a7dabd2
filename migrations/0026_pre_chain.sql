-- Tickets as assets on a chain: what is wished of each, what was signed for it, and what the chain says.
--
-- What ought to be is written with the step that makes it so (nft_assets.wish…), by the app; what is done about it belongs to the
-- worker alone. A transaction's bytes and signature are committed before they are sent, and only those bytes are ever sent.

ALTER TABLE events ADD COLUMN nft text NOT NULL DEFAULT 'off' CHECK (nft IN ('off', 'mirror', 'wait_for_mint'));

CREATE TABLE nft_assets (
  tenant_id     uuid NOT NULL,
  ticket_id     uuid NOT NULL,
  event_id      uuid NOT NULL,
  token         uuid NOT NULL DEFAULT gen_random_uuid(), -- in the address of the metadata; says nothing of the ticket
  state         text NOT NULL DEFAULT 'queued' CHECK (state IN (
    'queued', 'assigned', 'sent', 'confirmed', 'finalized', 'transferring', 'freezing', 'frozen', 'burning', 'burned',
    'retryable', 'dead')),
  wish          text NOT NULL CHECK (wish IN ('live', 'gone')),
  wish_owner    uuid,                                    -- whose wallet it is to lie in; NULL: the organiser's
  wished_at     timestamptz NOT NULL,
  held_by       uuid,                                    -- for whom it was minted or last moved
  tx_id         bigint,                                  -- the transaction under way for it
  tries         smallint NOT NULL DEFAULT 0,
  not_before    timestamptz NOT NULL DEFAULT '-infinity',
  problem       text,
  version       smallint CHECK (version IN (1, 2)),      -- of Bubblegum
  network       text,                                    -- which chain; only `mainnet` is the world's own
  tree          text,
  leaf_index    bigint CHECK (leaf_index >= 0),
  asset         text,
  owner         text,                                    -- the wallet that has it, as the chain says
  flags         smallint NOT NULL DEFAULT 0,
  elsewhere     boolean NOT NULL DEFAULT false,          -- somebody moved it to a wallet that is none of ours
  name          text,
  uri           text,
  data_hash     bytea CHECK (octet_length(data_hash) = 32),
  signature     text,                                    -- of the mint
  minted_at     timestamptz,
  told          boolean NOT NULL DEFAULT false,          -- a ticket that waits for its mint was told of it
  action        text,                                    -- what is to be done next, set by the trigger below
  PRIMARY KEY (tenant_id, ticket_id),
  UNIQUE (token),
  FOREIGN KEY (tenant_id, ticket_id) REFERENCES tickets (tenant_id, id),
  FOREIGN KEY (tenant_id, event_id) REFERENCES events (tenant_id, id)
);

CREATE FUNCTION choose_nft_action() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
  -- NULL: nothing, or something is under way.
  NEW.action := CASE
    WHEN NEW.tx_id IS NOT NULL OR NEW.state IN ('dead', 'burned') OR NEW.elsewhere THEN NULL
    WHEN NEW.leaf_index IS NULL THEN CASE WHEN NEW.wish = 'live' THEN 'mint' END
    WHEN NEW.wish = 'gone' THEN CASE WHEN NEW.version = 2 AND NEW.flags & 2 = 0 THEN 'freeze' ELSE 'burn' END
    WHEN NEW.flags & 2 <> 0 THEN 'thaw'
    WHEN NEW.held_by IS DISTINCT FROM NEW.wish_owner THEN 'transfer'
  END;
  RETURN NEW;
END
$$;
CREATE TRIGGER nft_assets_action BEFORE INSERT OR UPDATE ON nft_assets FOR EACH ROW EXECUTE FUNCTION choose_nft_action();

CREATE UNIQUE INDEX nft_assets_one_leaf ON nft_assets (tree, leaf_index) WHERE leaf_index IS NOT NULL;
CREATE INDEX nft_assets_due ON nft_assets (wished_at, ticket_id) WHERE action IS NOT NULL;
CREATE INDEX nft_assets_of_event ON nft_assets (event_id, state);
CREATE INDEX nft_assets_of_tx ON nft_assets (tx_id) WHERE tx_id IS NOT NULL;
CREATE INDEX nft_assets_untold ON nft_assets (ticket_id) WHERE leaf_index IS NOT NULL AND NOT told;
CREATE INDEX nft_assets_dead ON nft_assets (ticket_id) WHERE state = 'dead';
CALL protect('nft_assets');
GRANT SELECT ON nft_assets TO tt_app;
GRANT INSERT (tenant_id, ticket_id, event_id, wish, wish_owner, wished_at) ON nft_assets TO tt_app;
GRANT UPDATE (wish, wish_owner, wished_at) ON nft_assets TO tt_app;
GRANT SELECT, UPDATE ON nft_assets TO tt_worker;

-- Every transaction that was ever signed; its cost is what the spending limits count.
CREATE TABLE chain_txs (
  tenant_id   uuid NOT NULL,
  id          bigint GENERATED ALWAYS AS IDENTITY,
  kind        text NOT NULL CHECK (kind IN ('mint', 'transfer', 'freeze', 'thaw', 'burn', 'cancel', 'tree', 'collection')),
  tree        text,
  tickets     uuid[] NOT NULL DEFAULT '{}',              -- in the order of their instructions
  raw         bytea NOT NULL CHECK (octet_length(raw) BETWEEN 1 AND 1232),
  signature   text NOT NULL UNIQUE,
  nonce       text,                                      -- the durable nonce's account, and the value it was signed under
  nonce_value bytea CHECK (octet_length(nonce_value) = 32),
  last_height bigint,                                    -- without a nonce: the last block in which it can land
  lamports    bigint NOT NULL CHECK (lamports >= 0),
  state       text NOT NULL DEFAULT 'signed' CHECK (state IN ('signed', 'sent', 'confirmed', 'finalized', 'failed', 'void')),
  doubted     boolean NOT NULL DEFAULT false,            -- refused or failed: nothing more until it is certain that it is over
  followed    boolean NOT NULL DEFAULT false,            -- the tree it wrote told of it
  remedy      text,
  problem     text,
  slot        bigint,
  created_at  timestamptz NOT NULL,
  sent_at     timestamptz,
  settled_at  timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CHECK ((nonce IS NULL) = (nonce_value IS NULL) AND (nonce IS NULL) <> (last_height IS NULL))
);
CREATE INDEX chain_txs_open ON chain_txs (id) WHERE state IN ('signed', 'sent', 'confirmed');
CREATE INDEX chain_txs_by_time ON chain_txs (created_at);
CALL protect('chain_txs');
GRANT SELECT (tenant_id, id, kind, tree, signature, state, lamports, slot, created_at, settled_at) ON chain_txs TO tt_app;
GRANT SELECT, INSERT, UPDATE ON chain_txs TO tt_worker;

CREATE TABLE chain_collections (
  tenant_id uuid NOT NULL,
  address   text NOT NULL UNIQUE,
  name      text NOT NULL,
  uri       text NOT NULL,
  state     text NOT NULL DEFAULT 'making' CHECK (state IN ('making', 'open')),
  PRIMARY KEY (tenant_id),
  FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
CALL protect('chain_collections');
GRANT SELECT ON chain_collections TO tt_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON chain_collections TO tt_worker;

CREATE TABLE chain_trees (
  tenant_id      uuid NOT NULL,
  address        text NOT NULL UNIQUE,
  version        smallint NOT NULL CHECK (version IN (1, 2)),
  depth          smallint NOT NULL CHECK (depth BETWEEN 3 AND 30),
  buffer         integer NOT NULL,
  canopy         smallint NOT NULL,
  state          text NOT NULL DEFAULT 'making' CHECK (state IN ('making', 'open', 'full')),
  assigned       bigint NOT NULL DEFAULT 0 CHECK (assigned >= 0), -- mints signed for it that may land
  seq            bigint NOT NULL DEFAULT 0,                       -- the last write of it that we have followed
  last_signature text,
  checked_at     timestamptz,
  problem        text,
  created_at     timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, address),
  FOREIGN KEY (tenant_id) REFERENCES tenants (id),
  CHECK (assigned <= 1::bigint << depth)
);
CREATE UNIQUE INDEX chain_trees_one_making ON chain_trees (tenant_id) WHERE state = 'making';
CALL protect('chain_trees');
GRANT SELECT ON chain_trees TO tt_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON chain_trees TO tt_worker;

-- The trees as their own writes tell them: from this come proofs, and what others did with our assets is seen here.
CREATE TABLE chain_leaves (
  tenant_id       uuid NOT NULL,
  tree            text NOT NULL,
  index           bigint NOT NULL CHECK (index >= 0),
  asset           text NOT NULL,
  owner           text NOT NULL,
  delegate        text NOT NULL,
  data_hash       bytea NOT NULL CHECK (octet_length(data_hash) = 32),
  creator_hash    bytea NOT NULL CHECK (octet_length(creator_hash) = 32),
  collection_hash bytea CHECK (octet_length(collection_hash) = 32),
  flags           smallint NOT NULL DEFAULT 0,
  hash            bytea NOT NULL CHECK (octet_length(hash) = 32), -- zeros: burned
  seq             bigint NOT NULL,
  signature       text NOT NULL,
  ticket_id       uuid,
  PRIMARY KEY (tenant_id, tree, index),
  FOREIGN KEY (tenant_id, tree) REFERENCES chain_trees (tenant_id, address)
);
CREATE INDEX chain_leaves_twins ON chain_leaves (tree, data_hash);
CALL protect('chain_leaves');
GRANT SELECT ON chain_leaves TO tt_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON chain_leaves TO tt_worker;

-- Durable nonces are the service's, not a tenant's: of all transactions signed under one value, one can land.
CREATE TABLE chain_nonces (
  address     text PRIMARY KEY,
  state       text NOT NULL DEFAULT 'making' CHECK (state IN ('making', 'ready')),
  raw         bytea NOT NULL,
  signature   text NOT NULL UNIQUE,
  last_height bigint NOT NULL,
  lamports    bigint NOT NULL CHECK (lamports >= 0),
  created_at  timestamptz NOT NULL,
  value       bytea CHECK (octet_length(value) = 32), -- NULL: to be read anew
  spent       bytea CHECK (octet_length(spent) = 32), -- the value used last, which must not be signed under again
  tx_id       bigint UNIQUE
);
GRANT SELECT, INSERT, UPDATE, DELETE ON chain_nonces TO tt_worker;
