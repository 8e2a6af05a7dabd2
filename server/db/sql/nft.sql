-- name: wish
-- A wish for the same again changes nothing, so that a row the worker has is not written for nothing.
INSERT INTO nft_assets AS asset (tenant_id, ticket_id, event_id, wish, wish_owner, wished_at)
SELECT current_tenant(), one.ticket, one.event, one.wish, one.owner, $5
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) AS one (ticket, event, wish, owner)
JOIN events AS e ON e.id = one.event AND e.nft <> 'off'
WHERE one.wish <> 'gone' OR EXISTS (SELECT FROM nft_assets AS there WHERE there.ticket_id = one.ticket)
ON CONFLICT (tenant_id, ticket_id) DO UPDATE SET wish = excluded.wish, wish_owner = excluded.wish_owner, wished_at = excluded.wished_at
WHERE (asset.wish, asset.wish_owner) IS DISTINCT FROM (excluded.wish, excluded.wish_owner);

-- name: of_tickets
SELECT ticket_id AS ticket, state, wish, problem, asset, tree, leaf_index, owner, elsewhere, uri, signature, minted_at, network
FROM nft_assets WHERE ticket_id = ANY ($1::uuid[]);

-- name: count
SELECT state, count(*) AS count, count(*) FILTER (WHERE elsewhere) AS elsewhere
FROM nft_assets WHERE event_id = $1 GROUP BY state ORDER BY state;

-- name: wish_missing
INSERT INTO nft_assets (tenant_id, ticket_id, event_id, wish, wish_owner, wished_at)
SELECT current_tenant(), t.id, t.event_id, CASE WHEN t.locked IS NULL THEN 'live' ELSE 'held' END, t.owner_id, $2
FROM tickets AS t JOIN events AS e ON e.id = t.event_id AND e.nft <> 'off'
WHERE t.event_id = $1 AND t.state IN ('sold', 'minted', 'active', 'transferred', 'checked_in', 'used', 'expired')
ON CONFLICT (tenant_id, ticket_id) DO NOTHING;
