"""A local chain to mint on: `python -m tests.chain_node` prints a worker's settings for it, and runs until standard input ends.

It is a real Solana node; Bubblegum and MPL Core are played by a model of them, unless `TICKETTOKEN_SOLANA_PROGRAMS` names a folder
with the programs themselves.
"""

from __future__ import annotations

import asyncio
import os
import sys

import msgspec
from solders.keypair import Keypair

from tests.chain_node.bench import mint_bench
from tests.chain_node.launcher import ChainNodeUnavailable


async def _run() -> None:
    async with mint_bench(1, slot_ms=50) as bench:
        own = {f"SOLANA_{name}_KEY": str(Keypair()) for name in ("MINTER", "OPERATOR", "CREATOR")}
        settings = {
            "SOLANA_RPC_URLS": " ".join(bench.urls),
            "SOLANA_NETWORK": "local" if bench.programs is None else "simulated",
            "SOLANA_PAYER_KEY": str(bench.payer),
            "SOLANA_WALLET_SEED": os.urandom(32).hex(),
            **own,
        }
        sys.stdout.write(msgspec.json.encode(settings).decode() + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


def _main() -> int:
    try:
        asyncio.run(_run())
    except ChainNodeUnavailable as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
