"""The tour's chain: a local Solana node in a process of its own, and the keys of one evening."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from server.settings_chain import ChainPlan, read_chain
from shared.problems import Unavailable

ROOT = Path(__file__).parents[2]
PROGRAM = "tests.chain_node"
START_S = 300
"""The first time, npm fetches the node."""
NONCES = "32"
_STOP_S = 10


class ChainAbsent(Unavailable):
    """There is no local chain to be had; without `--nft` the tour needs none."""

    code = "demo_chain_absent"


@asynccontextmanager
async def local_chain(public_url: str) -> AsyncIterator[ChainPlan]:
    """Run a chain, and give the plan of minting on it assets whose metadata lies below an address.

    Raises:
        ChainAbsent: it cannot be had, and why.
    """
    if not (ROOT / PROGRAM.replace(".", "/") / "__main__.py").exists():
        raise ChainAbsent(
            "the local chain comes with the source checkout, not with the installed package: use `./run demo --nft`"
        )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        PROGRAM,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C ends the tour, and the tour ends this
    )
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise ChainAbsent("the local chain's program cannot be talked to")
    try:
        yield await _wait(process.stdout, process.stderr, public_url)
    finally:
        process.stdin.close()
        await _end(process)


async def _wait(output: asyncio.StreamReader, errors: asyncio.StreamReader, public_url: str) -> ChainPlan:
    try:
        async with asyncio.timeout(START_S):
            line = await output.readline()
    except TimeoutError as exc:
        raise ChainAbsent(f"the local chain did not start in {START_S} s") from exc
    if not line:
        said = (await errors.read()).decode(errors="replace").strip().splitlines()
        raise ChainAbsent(f"there is no local chain: {said[-1] if said else 'it ended without a word'}")
    settings = msgspec.json.decode(line, type=dict[str, str])
    plan = read_chain({**settings, "PUBLIC_URL": public_url, "NFT_NONCES": NONCES})
    if plan is None:
        raise ChainAbsent("the local chain's program names no node")
    return plan


async def _end(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
