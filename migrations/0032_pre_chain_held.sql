-- A locked ticket's asset is frozen for as long as the lock lasts.

ALTER TABLE nft_assets
  DROP CONSTRAINT nft_assets_wish_check,
  ADD CONSTRAINT nft_assets_wish_check CHECK (wish IN ('live', 'held', 'gone'));

CREATE OR REPLACE FUNCTION choose_nft_action() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
  -- NULL: nothing, or something is under way.
  NEW.action := CASE
    WHEN NEW.tx_id IS NOT NULL OR NEW.state IN ('dead', 'burned') OR NEW.elsewhere THEN NULL
    WHEN NEW.leaf_index IS NULL THEN CASE WHEN NEW.wish = 'live' THEN 'mint' END
    WHEN NEW.wish = 'gone' THEN CASE WHEN NEW.version = 2 AND NEW.flags & 2 = 0 THEN 'freeze' ELSE 'burn' END
    WHEN NEW.wish = 'held' THEN CASE WHEN NEW.version = 2 AND NEW.flags & 2 = 0 THEN 'freeze' END
    WHEN NEW.flags & 2 <> 0 THEN 'thaw'
    WHEN NEW.held_by IS DISTINCT FROM NEW.wish_owner THEN 'transfer'
    WHEN NEW.wish_name <> NEW.name THEN 'update'
  END;
  RETURN NEW;
END
$$;
