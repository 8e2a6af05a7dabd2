-- Lookup tables: with one beside a tree more mints fit into a transaction.

CREATE TABLE chain_tables (
  tenant_id uuid NOT NULL,
  tree      text NOT NULL,
  address   text NOT NULL UNIQUE,
  state     text NOT NULL DEFAULT 'making' CHECK (state IN ('making', 'open')),
  PRIMARY KEY (tenant_id, tree),
  FOREIGN KEY (tenant_id, tree) REFERENCES chain_trees (tenant_id, address)
);
CALL protect('chain_tables');
GRANT SELECT ON chain_tables TO tt_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON chain_tables TO tt_worker;
