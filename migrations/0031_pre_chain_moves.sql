-- For whom an asset is once the transaction under way is done; a transfer that fails leaves it where it is, and is due again.

ALTER TABLE nft_assets ADD COLUMN moving_to uuid;
UPDATE nft_assets SET moving_to = held_by;
