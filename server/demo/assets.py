"""The tour's tickets on the chain: waited for after the doors are closed, and compared with it."""

from __future__ import annotations

import asyncio

import msgspec
from msgspec import Struct

from server.chain.reconciling import reconcile
from server.chain.worker import MintWorker
from server.demo.story import Stage, Told
from server.demo.summary import Assets
from server.minting import Minting
from shared.problems import Unavailable

PATIENCE_S = 600
_LOOK_S = 0.5


class _States(Struct, frozen=True, rename="camel"):
    by_status: dict[str, int]


async def settle_assets(stage: Stage, told: Told, minting: Minting) -> Assets:
    """Wait until every ticket has its asset for good and compare the book with the chain; what differs is added to ``told``.

    Raises:
        Unavailable: they do not come.
    """
    began_s = stage.clock.monotonic()
    stage.narrator.act("Every ticket has its asset on the chain")
    done = await _wait(stage)
    found = await reconcile(minting.desk, MintWorker(minting.desk))
    if not found.is_sound:
        told.problems.append(f"the chain differs from the book: {msgspec.json.encode(found).decode()}")
    network = minting.desk.plan.network
    stage.narrator.say(
        f"{done} assets in {len(found.trees)} tree(s), each root the chain's ({network}: real node, no real money)."
    )
    return Assets(
        network=network, finalized=done, trees=len(found.trees), seconds=round(stage.clock.monotonic() - began_s, 1)
    )


async def _wait(stage: Stage) -> int:
    wanted, done = stage.venue.places + 1, 0
    try:
        async with asyncio.timeout(PATIENCE_S):
            with stage.narrator.progress("tickets become assets", wanted) as bar:
                while done < wanted:
                    states = msgspec.convert(await stage.venue.read("nfts"), _States)
                    now = states.by_status.get("finalized", 0)
                    bar.advance(now - done)
                    done = now
                    await asyncio.sleep(_LOOK_S)
    except TimeoutError as exc:
        raise Unavailable(f"only {done} of {wanted} tickets became assets in {PATIENCE_S} s") from exc
    return done
