"""The public copy of who owns which ticket: compressed NFTs on Solana; the only package that speaks of it."""
