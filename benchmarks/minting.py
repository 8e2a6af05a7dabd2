"""Tickets become assets: the whole pipeline beside what the node takes of the same transactions, and doors with the chain away.

The node is a real one on this machine; a model plays the programs' part, so its rate is not that of a cluster. What counts is how
much of the node's own rate the pipeline reaches in the same run: queue, signing, keeping, sending, confirming, following.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import aiohttp
import msgspec
from msgspec import Struct
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account

from benchmarks.report import Report, Row, describe_machine, make_parser, measure, show, tell
from benchmarks.selling_load import Bench, check_all_in, give, open_bench
from server.chain import instructions
from server.chain.composing import SYMBOL, Target, Wanted, compose_mints
from server.chain.desk import MintPlan
from server.chain.ledger import Ledger
from server.chain.merkle import Shape
from server.chain.metadata import Metadata
from server.chain.node import Node
from server.chain.nodes import Nodes
from server.chain.programs import MPL_COMPRESSION
from server.chain.signing import MemorySigner
from server.chain.transactions import Budget, Draft, seal_recent
from server.demo.chain import local_chain
from server.domain.access import Role
from server.settings_chain import ChainPlan, read_chain
from shared.logs import configure_logs
from shared.problems import Internal

_TICKETS, _QUICK_TICKETS = 1_000, 30
_WARM = 220
"""The node keeps what it knows of the last two hundred transactions and is slower from then on."""
_AT_ONCE = 16
_CHECK_INS, _PER_SECOND = 300, 20.0
_SHAPE = Shape(depth=14, buffer=64)
_NOBODY = {
    "SOLANA_RPC_URLS": "http://127.0.0.1:1/",
    "SOLANA_NETWORK": "local",
    "SOLANA_WALLET_SEED": "wallets that hold nothing of worth",
    "PUBLIC_URL": "http://127.0.0.1:3004",
}
_PURPOSE = "Mints a second through the whole pipeline against the node's own rate, and check-ins with the chain away."
_EXAMPLES = """  python -m benchmarks.minting
  python -m benchmarks.minting --tickets 2000 --json"""


class Alone(Struct, frozen=True, kw_only=True):
    """The node without our pipeline: a tree of its own, and transactions put together as we put them together."""

    plan: MintPlan
    nodes: Nodes
    ledger: Ledger
    tree: Pubkey

    async def mint(self, assets: int) -> float:
        """Sign and send transactions side by side; return the seconds until the node took all of them."""
        began_s, sent = time.perf_counter(), 0
        while sent < assets:
            recent, raw = await self.ledger.recent(), list[bytes]()
            while sent < assets and len(raw) < _AT_ONCE:
                wanted = [_wanted() for _ in range(min(12, assets - sent))]
                composed = compose_mints(self.plan.keys, Target(tree=self.tree, version=2), wanted, 1_000)
                raw.append((await seal_recent(composed.draft, recent, composed.signers)).raw)
                sent += len(composed.draft.instructions)
            answers = await asyncio.gather(*(self.nodes.send(one) for one in raw))
            if not all(one.taken for one in answers):
                raise Internal("The node did not take what it was sent.")
        return time.perf_counter() - began_s


def _wanted() -> Wanted:
    metadata = Metadata(
        name="A full house", symbol=SYMBOL, uri=f"http://127.0.0.1:3004/m/{uuid4().hex[:22]}", collection=_HALL
    )
    return Wanted(owner=Keypair().pubkey(), metadata=metadata)


_HALL = Pubkey(b"hall".ljust(32, b"\1"))


async def open_alone(plan: ChainPlan, session: aiohttp.ClientSession) -> Alone:
    """Make a tree on the node, by hand."""
    nodes = Nodes([Node("local", url, session, time.monotonic) for url in plan.urls])
    ledger, keys, own = Ledger(nodes), plan.mint.keys, MemorySigner(Keypair())
    if plan.mint.creator is None:
        raise Internal("The local chain names no creator.")
    signers = instructions.Signers(payer=keys.payer.address, authority=plan.mint.creator.address)
    account = CreateAccountParams(
        from_pubkey=keys.payer.address,
        to_pubkey=own.address,
        lamports=await ledger.rent(_SHAPE.account_bytes),
        space=_SHAPE.account_bytes,
        owner=MPL_COMPRESSION,
    )
    calls = (
        create_account(account),
        instructions.create_tree(own.address, _SHAPE, signers),
        instructions.set_tree_delegate(own.address, plan.mint.creator.address, keys.minter.address),
    )
    draft = Draft(payer=keys.payer.address, instructions=calls, budget=Budget(units=400_000))
    sealed = await seal_recent(draft, await ledger.recent(), [keys.payer, own, plan.mint.creator])
    await nodes.send(sealed.raw)
    return Alone(plan=plan.mint, nodes=nodes, ledger=ledger, tree=own.address)


async def wish(bench: Bench, nft: str) -> None:
    """Say whether the event's tickets are to have assets."""
    manager, event = bench.user(Role.VENUE_MANAGER), bench.publication.event
    known = msgspec.json.decode(await bench.call(manager, "GET", f"/api/v1/organiser/events/{event}"))
    await bench.call(manager, "PATCH", f"/api/v1/events/{event}", {"version": known["version"], "nft": nft})


async def mint_all(bench: Bench, tickets: int) -> float:
    """Have tickets that are sold become assets; return the seconds from the wish until the last is on chain and followed."""
    manager, path = bench.user(Role.VENUE_MANAGER), f"/api/v1/events/{bench.publication.event}/nfts"
    began_s = time.perf_counter()
    await wish(bench, "mirror")
    on_chain = 0
    while on_chain < tickets:
        on_chain = msgspec.json.decode(await bench.call(manager, "GET", path))["onChain"]
        await asyncio.sleep(0.1)
    return time.perf_counter() - began_s


async def run_mints(place: Path, tickets: int, warm: int) -> list[Row]:
    """Measure the node alone, then the pipeline, on one chain."""
    async with local_chain("http://127.0.0.1:3004") as chain, aiohttp.ClientSession() as session:
        alone = await open_alone(chain, session)
        await alone.mint(warm)
        tell("the node is warm; now it alone, then the pipeline")
        bare_s = await alone.mint(tickets)
        async with open_bench(place, 1, chain) as bench:
            # Accounts, collection and tree are made for the first one.
            await mint_all(bench, 1)
            await wish(bench, "off")
            await give(bench, tickets)
            whole_s = await mint_all(bench, tickets + 1)
    return [
        Row(what="node alone, mints a second", median=tickets / bare_s, count=tickets),
        Row(what="whole pipeline, mints a second", median=tickets / whole_s, count=tickets),
        Row(what="pipeline, of the node's rate", median=bare_s / whole_s, count=tickets),
    ]


async def run_doors(place: Path, count: int, away: ChainPlan) -> list[Row]:
    """Measure check-ins of an event without assets, and of one that wants them while no node answers."""
    rows = []
    for name, chain in (("no chain", None), ("chain away", away)):
        tell(f"check-ins, {name}")
        async with open_bench(place / name.replace(" ", "-"), count, chain) as bench:
            if chain is not None:
                await wish(bench, "mirror")
            rows.append(measure(f"check in, {name}, ms", await check_all_in(bench, count, _PER_SECOND)))
    return rows


def away() -> ChainPlan:
    """Return how to mint where nobody answers."""
    keys = {f"SOLANA_{who}_KEY": str(Keypair()) for who in ("PAYER", "MINTER", "OPERATOR", "CREATOR")}
    plan = read_chain({**keys, **_NOBODY})
    if plan is None:
        raise Internal("A chain that is away is one all the same.")
    return plan


async def run(place: Path, tickets: int, *, quick: bool) -> Report:
    """Measure both in a directory."""
    rows = await run_mints(place / "mints", tickets, 0 if quick else _WARM)
    rows += await run_doors(place, min(tickets, 20 if quick else _CHECK_INS), away())
    notes = {
        "tickets": str(tickets),
        "node": "a local one, on which a model plays the programs; it copies much with each transaction, a cluster does not",
        "holders": "one buyer for all, so that up to five mints fit into a transaction; alone: distinct holders, up to four",
        "doors": f"open loop over HTTP, {_PER_SECOND:g} a second, the worker trying for the chain in the same process",
    }
    return Report(benchmark="minting", machine=describe_machine(), notes=notes, rows=rows)


def main() -> None:
    """Measure and print."""
    arguments = make_parser("minting", _PURPOSE, _EXAMPLES, f"{_TICKETS}, quick: {_QUICK_TICKETS}").parse_args()
    configure_logs("error")
    tickets = int(arguments.tickets or (_QUICK_TICKETS if arguments.quick else _TICKETS))
    with tempfile.TemporaryDirectory(prefix="tickettoken-minting-") as place:
        Path(place).chmod(0o711)
        report = asyncio.run(run(Path(place), tickets, quick=arguments.quick))
    show(report, as_json=arguments.json)


if __name__ == "__main__":
    main()
