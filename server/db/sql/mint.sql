-- What the mint worker does, as tt_worker, across tenants.

-- name: due
SELECT a.tenant_id AS tenant, a.ticket_id AS ticket, a.event_id AS event, e.name AS event_name, a.token, a.action, a.wish_owner,
  a.held_by, a.tries, a.tree, a.leaf_index, a.name, a.uri, a.wish_name
FROM nft_assets AS a JOIN events AS e ON (e.tenant_id, e.id) = (a.tenant_id, a.event_id)
WHERE a.action IS NOT NULL AND a.not_before <= $1
ORDER BY a.wished_at, a.ticket_id LIMIT $2;

-- name: add_tx
INSERT INTO chain_txs (tenant_id, kind, tree, tickets, raw, signature, nonce, nonce_value, last_height, lamports, created_at, new_name)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
-- Two workers that sign the same under the same nonce sign the same bytes.
ON CONFLICT (signature) DO NOTHING RETURNING id;

-- name: take_nonce
UPDATE chain_nonces SET tx_id = $2 WHERE address = $1 AND tx_id IS NULL AND value = $3;

-- name: bind_assets
UPDATE nft_assets AS a SET tx_id = $2, state = $3, tree = coalesce($4, a.tree), version = $5, network = $6, moving_to = one.held_by,
  name = one.name, uri = one.uri, data_hash = one.data_hash, problem = NULL
FROM unnest($7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::bytea[]) AS one (ticket, held_by, name, uri, data_hash)
WHERE a.tenant_id = $1 AND a.ticket_id = one.ticket AND a.tx_id IS NULL AND a.action = $12;

-- name: count_mints
UPDATE chain_trees SET assigned = assigned + $3
WHERE tenant_id = $1 AND address = $2 AND state = 'open' AND assigned + $3 <= 1::bigint << depth;

-- name: open_txs
SELECT tenant_id AS tenant, id, kind, tree, tickets, raw, signature, nonce, nonce_value, last_height, state, doubted, followed, remedy,
  problem, sent_at, created_at
FROM chain_txs WHERE state IN ('signed', 'sent', 'confirmed') ORDER BY id;

-- name: sent
UPDATE chain_txs SET state = CASE WHEN state = 'signed' AND id = ANY ($2::bigint[]) THEN 'sent' ELSE state END, sent_at = $3
WHERE id = ANY ($1::bigint[]) AND state IN ('signed', 'sent', 'confirmed');

-- name: assets_sent
UPDATE nft_assets SET state = 'sent' WHERE tx_id = ANY ($1::bigint[]) AND state = 'assigned';

-- name: confirmed
UPDATE chain_txs SET state = 'confirmed', slot = $2 WHERE id = $1 AND state IN ('signed', 'sent');

-- name: doubt
UPDATE chain_txs SET doubted = true, remedy = $2, problem = $3 WHERE id = $1 AND state IN ('signed', 'sent', 'confirmed') AND NOT doubted;

-- name: finalized
UPDATE chain_txs SET state = 'finalized', settled_at = $2 WHERE id = $1 AND state IN ('signed', 'sent', 'confirmed');

-- name: free_nonce
-- Its value was used up with the transaction: the next has to be read first.
UPDATE chain_nonces SET tx_id = NULL, spent = value, value = NULL WHERE tx_id = $1;

-- name: assets_finalized
UPDATE nft_assets SET tx_id = NULL, held_by = moving_to, tries = 0, problem = NULL,
  not_before = CASE WHEN state = 'freezing' AND wish = 'gone' THEN $2::timestamptz ELSE '-infinity' END,
  state = CASE state WHEN 'freezing' THEN 'frozen' WHEN 'burning' THEN 'burned' ELSE 'finalized' END
WHERE tx_id = $1;

-- name: over
UPDATE chain_txs SET state = CASE WHEN $2 THEN 'failed' ELSE 'void' END, settled_at = $3
WHERE id = $1 AND state IN ('signed', 'sent', 'confirmed');

-- name: assets_over
UPDATE nft_assets SET tx_id = NULL, tries = least(tries + 1, 32767), not_before = $2, problem = $4,
  state = CASE WHEN tries + 1 >= $3 THEN 'dead' ELSE 'retryable' END
WHERE tx_id = $1;

-- name: uncount_mints
UPDATE chain_trees SET assigned = assigned - $2 WHERE address = $1;

-- name: spent_since
SELECT coalesce(sum(lamports), 0)::bigint FROM (
  SELECT lamports FROM chain_txs WHERE created_at >= $1 AND state <> 'void'
  UNION ALL SELECT lamports FROM chain_nonces WHERE created_at >= $1
) AS paid (lamports);

-- name: untold
SELECT tenant_id AS tenant, event_id AS event, ticket_id AS ticket FROM nft_assets
WHERE leaf_index IS NOT NULL AND NOT told ORDER BY ticket_id LIMIT $1;

-- name: told
UPDATE nft_assets AS a SET told = true FROM unnest($1::uuid[], $2::uuid[]) AS one (tenant, ticket)
WHERE (a.tenant_id, a.ticket_id) = (one.tenant, one.ticket);

-- name: nonces
SELECT address, state, raw, signature, last_height, lamports, created_at, value, spent, tx_id FROM chain_nonces ORDER BY address;

-- name: add_nonce
INSERT INTO chain_nonces (address, raw, signature, last_height, lamports, created_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: nonce_ready
UPDATE chain_nonces SET state = 'ready', value = $2 WHERE address = $1 AND tx_id IS NULL AND value IS NULL AND spent IS DISTINCT FROM $2;

-- name: drop_nonce
DELETE FROM chain_nonces WHERE address = $1 AND state = 'making';

-- name: trees
SELECT tenant_id AS tenant, address, version, depth, buffer, canopy, state, assigned, seq, last_signature, problem
FROM chain_trees ORDER BY created_at, address;

-- name: add_tree
INSERT INTO chain_trees (tenant_id, address, version, depth, buffer, canopy, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING;

-- name: open_tree
UPDATE chain_trees SET state = 'open' WHERE tenant_id = $1 AND address = $2 AND state = 'making';

-- name: drop_tree
DELETE FROM chain_trees WHERE tenant_id = $1 AND address = $2 AND state = 'making';

-- name: tree_full
UPDATE chain_trees SET state = 'full' WHERE address = $1 AND state = 'open';

-- name: tables
SELECT tenant_id AS tenant, tree, address, state FROM chain_tables ORDER BY tree;

-- name: add_table
INSERT INTO chain_tables (tenant_id, tree, address) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: open_table
UPDATE chain_tables SET state = 'open' WHERE tenant_id = $1 AND tree = $2 AND state = 'making';

-- name: drop_table
DELETE FROM chain_tables WHERE tenant_id = $1 AND tree = $2 AND state = 'making';

-- name: collections
SELECT tenant_id AS tenant, address, name, uri, state FROM chain_collections ORDER BY tenant_id;

-- name: add_collection
INSERT INTO chain_collections (tenant_id, address, name, uri) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: open_collection
UPDATE chain_collections SET state = 'open' WHERE tenant_id = $1 AND state = 'making';

-- name: drop_collection
DELETE FROM chain_collections WHERE tenant_id = $1 AND state = 'making';

-- name: tenant_name
SELECT name FROM tenants WHERE id = $1;

-- name: leaves
SELECT index, asset, owner, delegate, data_hash, creator_hash, collection_hash, flags, hash, seq, signature
FROM chain_leaves WHERE tree = $1 ORDER BY index;

-- name: leaf
SELECT index, asset, owner, delegate, data_hash, creator_hash, collection_hash, flags, hash, seq, signature
FROM chain_leaves WHERE tree = $1 AND index = $2;

-- name: keep_leaves
INSERT INTO chain_leaves AS there (
  tenant_id, tree, index, asset, owner, delegate, data_hash, creator_hash, collection_hash, flags, hash, seq, signature
)
SELECT $1, $2, one.* FROM unnest(
  $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::bytea[], $9::bytea[], $10::smallint[], $11::bytea[],
  $12::bigint[], $13::text[]
) AS one
ON CONFLICT (tenant_id, tree, index) DO UPDATE SET owner = excluded.owner, delegate = excluded.delegate, data_hash = excluded.data_hash,
  creator_hash = excluded.creator_hash, collection_hash = excluded.collection_hash, flags = excluded.flags, hash = excluded.hash,
  seq = excluded.seq, signature = excluded.signature
WHERE there.seq < excluded.seq;

-- name: adopt_leaves
-- What was minted is known by the hash of its data, in which the asset's own token is: whatever we believed of the transaction.
UPDATE nft_assets AS a SET tree = $2, leaf_index = l.index, asset = l.asset, owner = l.owner, flags = l.flags, signature = l.signature,
  minted_at = $4, held_by = a.moving_to,
  told = NOT EXISTS (SELECT FROM tickets AS t WHERE t.tenant_id = $1 AND t.id = a.ticket_id AND t.state IN ('sold', 'minted')),
  state = CASE WHEN a.tx_id IS NULL THEN 'finalized' ELSE 'confirmed' END
FROM chain_leaves AS l
WHERE l.tenant_id = $1 AND l.tree = $2 AND l.index = ANY ($3::bigint[]) AND l.ticket_id IS NULL
  AND a.tenant_id = $1 AND a.data_hash = l.data_hash AND a.leaf_index IS NULL;

-- name: bind_leaves
UPDATE chain_leaves AS l SET ticket_id = a.ticket_id FROM nft_assets AS a
WHERE l.tenant_id = $1 AND l.tree = $2 AND l.index = ANY ($3::bigint[]) AND l.ticket_id IS NULL
  AND a.tenant_id = $1 AND a.tree = $2 AND a.leaf_index = l.index;

-- name: update_assets
-- A change that no transaction of ours made was made by whoever holds the asset.
UPDATE nft_assets AS a SET owner = l.owner, flags = l.flags, data_hash = l.data_hash,
  name = CASE WHEN l.data_hash <> a.data_hash THEN coalesce(ours.new_name, a.name) ELSE a.name END,
  elsewhere = CASE WHEN ours.signature IS NOT NULL THEN false ELSE a.elsewhere OR a.owner <> l.owner END,
  state = CASE WHEN ours.signature IS NULL AND l.hash = decode(repeat('00', 32), 'hex') THEN 'burned' ELSE a.state END,
  problem = CASE WHEN ours.signature IS NULL AND l.hash = decode(repeat('00', 32), 'hex') THEN 'burned_by_holder' ELSE a.problem END
FROM chain_leaves AS l LEFT JOIN chain_txs AS ours ON ours.signature = l.signature
WHERE l.tenant_id = $1 AND l.tree = $2 AND l.index = ANY ($3::bigint[]) AND a.tenant_id = $1 AND a.ticket_id = l.ticket_id
  AND a.tree = $2 AND a.leaf_index = l.index AND l.signature <> a.signature;

-- name: txs_followed
UPDATE chain_txs SET followed = true WHERE signature = ANY ($1::text[]) AND NOT followed;

-- name: followed
UPDATE chain_trees SET seq = $3, last_signature = $4 WHERE tenant_id = $1 AND address = $2 AND seq <= $3;

-- name: check_tree
UPDATE chain_trees SET checked_at = $3, problem = $2 WHERE address = $1;

-- name: forget_leaves
DELETE FROM chain_leaves WHERE tree = $1;

-- name: restart_tree
UPDATE chain_trees SET seq = 0, last_signature = NULL WHERE address = $1;

-- name: dead
-- Of all tenants, or of one event of one.
SELECT tenant_id AS tenant, ticket_id AS ticket, event_id AS event,
  CASE WHEN leaf_index IS NULL THEN 'mint' WHEN wish = 'gone' THEN 'burn' WHEN held_by IS DISTINCT FROM wish_owner THEN 'transfer'
    ELSE 'update' END AS action, problem, tries
FROM nft_assets WHERE state = 'dead' AND ($2::uuid IS NULL OR (tenant_id, event_id) = ($2, $3::uuid)) ORDER BY ticket_id LIMIT $1;

-- name: revive
UPDATE nft_assets SET state = 'retryable', tries = 0, not_before = '-infinity'
WHERE state = 'dead' AND ($1::uuid[] IS NULL OR ticket_id = ANY ($1)) AND ($2::uuid IS NULL OR (tenant_id, event_id) = ($2, $3::uuid));

-- name: give_up
UPDATE nft_assets SET state = 'dead', problem = $2 WHERE ticket_id = $1 AND tx_id IS NULL AND state NOT IN ('dead', 'burned');

-- name: event_name
SELECT name FROM events WHERE id = $1;

-- name: rename_assets
-- Those that were moved away by their holders, or are to go, are left as they are.
UPDATE nft_assets SET wish_name = $2
WHERE event_id = $1 AND wish <> 'gone' AND state NOT IN ('dead', 'burned') AND NOT elsewhere AND name IS NOT NULL
  AND coalesce(wish_name, name) <> $2;

-- name: public
SELECT coalesce(a.wish_name, a.name, e.name) AS name, e.name AS event_name, y.name AS type_name,
  (e.policy #>> '{window,starts}')::timestamptz AS starts, a.wish
FROM nft_assets AS a JOIN events AS e ON (e.tenant_id, e.id) = (a.tenant_id, a.event_id)
JOIN tickets AS t ON (t.tenant_id, t.id) = (a.tenant_id, a.ticket_id)
JOIN ticket_types AS y ON (y.tenant_id, y.id) = (t.tenant_id, t.ticket_type_id)
WHERE a.token = $1
UNION ALL
SELECT c.name, c.name, NULL, NULL, NULL FROM chain_collections AS c WHERE c.tenant_id = $1
UNION ALL
-- A collection that is about to be made.
SELECT o.name, o.name, NULL, NULL, NULL FROM tenants AS o
WHERE o.id = $1 AND EXISTS (SELECT FROM events AS e WHERE e.tenant_id = o.id AND e.nft <> 'off')
LIMIT 1;

-- name: orphans
-- Leaves that are no ticket's: of the same hash as an asset's they are its twins, otherwise nobody knows of them.
SELECT l.tree, l.index, l.asset, l.owner, EXISTS (
  SELECT FROM nft_assets AS a WHERE a.tenant_id = l.tenant_id AND a.data_hash = l.data_hash
) AS twin
FROM chain_leaves AS l
WHERE l.ticket_id IS NULL AND l.hash <> decode(repeat('00', 32), 'hex') ORDER BY l.tree, l.index LIMIT $1;

-- name: leafless
SELECT count(*) FROM nft_assets WHERE state IN ('confirmed', 'finalized', 'frozen') AND leaf_index IS NULL;

-- name: leaves_of_tree
SELECT count(*) FROM chain_leaves WHERE tree = $1;

-- name: asset_states
SELECT state, count(*) AS count, count(*) FILTER (WHERE elsewhere) AS elsewhere FROM nft_assets GROUP BY state ORDER BY state;

-- name: sample_assets
SELECT a.asset, a.owner, a.flags, a.tree, a.leaf_index, a.state, l.hash
FROM nft_assets AS a JOIN chain_leaves AS l ON (l.tenant_id, l.tree, l.index) = (a.tenant_id, a.tree, a.leaf_index)
WHERE a.state IN ('finalized', 'frozen') AND a.tx_id IS NULL AND a.asset > $1 ORDER BY a.asset LIMIT $2;

-- name: oldest_due
SELECT min(wished_at) FROM nft_assets WHERE action IS NOT NULL;
