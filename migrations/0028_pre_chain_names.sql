-- What an asset is called on chain can be changed: an event that got another name.

ALTER TABLE nft_assets
  ADD COLUMN wish_name text, -- what it is to be called; NULL: as it was minted
  DROP CONSTRAINT nft_assets_state_check,
  ADD CONSTRAINT nft_assets_state_check CHECK (state IN (
    'queued', 'assigned', 'sent', 'confirmed', 'finalized', 'transferring', 'updating', 'freezing', 'frozen', 'burning', 'burned',
    'retryable', 'dead'));
ALTER TABLE chain_txs
  ADD COLUMN new_name text,  -- what an update calls its asset
  DROP CONSTRAINT chain_txs_kind_check,
  ADD CONSTRAINT chain_txs_kind_check CHECK (kind IN (
    'mint', 'transfer', 'update', 'freeze', 'thaw', 'burn', 'cancel', 'tree', 'collection', 'table'));

CREATE OR REPLACE FUNCTION choose_nft_action() RETURNS trigger
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
    WHEN NEW.wish_name <> NEW.name THEN 'update'
  END;
  RETURN NEW;
END
$$;
