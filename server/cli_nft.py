"""`tickettoken nft`: how far tickets' assets are, what they cost, whether the chain agrees, and what to do where it does not."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from server.chain.composing import SIGNATURE_LAMPORTS
from server.chain.estimate import Assumed, estimate
from server.chain.fees import LEAST
from server.chain.following import Finding
from server.chain.planning import shorten
from server.chain.reconciling import reconcile
from server.chain.setting_up import SetUp
from server.chain.worker import MintWorker
from server.cli_deeds import noting
from server.cli_nft_lines import SOL, describe_dead, describe_estimate, describe_report, describe_tree
from server.cli_tools import open_plan
from server.minting import Minting
from server.parts import Parts, open_parts
from server.services.problems import EventUnknown
from server.services.problems_nft import NoChain
from server.settings import LogLevel
from shared.ids import EventId, TenantId
from shared.logs import configure_logs
from shared.problems import InputUnusable

_MOST = 1_000
_DAY = timedelta(days=1)

Work = Callable[[argparse.Namespace, Parts], Awaitable[int]]


class Status(Struct, frozen=True, kw_only=True):
    """What `nft status --json` prints; lamports are those of the last day."""

    configured: bool
    network: str | None
    states: dict[str, int]
    elsewhere: int
    waiting_since: datetime | None
    in_flight: int
    free_nonces: int
    trees_open: int
    dead: int
    lamports_spent: int


class Renamed(Struct, frozen=True, kw_only=True):
    """What `nft rename --json` prints; ``lamports`` is what it costs, priority apart."""

    name: str
    queued: int
    lamports: int


class Queued(Struct, frozen=True, kw_only=True):
    """What `nft mint --json` prints."""

    queued: int


class Verified(Struct, frozen=True, kw_only=True):
    """What `nft verify --json` prints: each tree and what comparing showed."""

    trees: dict[str, Finding]


def status(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print how many assets are how far."""
    return _run(arguments, environ, _status)


def trees(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print the trees, or sign one more.

    Raises:
        InputUnusable: --make without --tenant.
    """
    if arguments.make and arguments.tenant is None:
        raise InputUnusable("say with --tenant whose tree it is to be: `tickettoken tenants list` shows all")
    return _run(arguments, environ, _trees)


def mint(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Queue what an event lacks."""
    return _run(arguments, environ, _mint)


def rename(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Queue the renaming of an event's assets to what the event is called now."""
    return _run(arguments, environ, _rename)


def estimate_cost(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    """Print what minting costs."""
    found = estimate(arguments.tickets, Assumed(version=1 if arguments.cheap else 2, price=LEAST))
    _tell(arguments, found, *describe_estimate(found))
    return 0


def verify(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Compare the trees' roots; 1 if one differs."""
    return _run(arguments, environ, _verify)


def reconcile_all(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Compare everything; 1 if something needs a person."""
    return _run(arguments, environ, _reconcile)


def dead(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print what was given up."""
    return _run(arguments, environ, _dead)


def replay(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Try again what was given up; 1 if some that were named are not there.

    Raises:
        InputUnusable: neither ids nor --all, or both.
    """
    if bool(arguments.ids) == arguments.all:
        raise InputUnusable("name the tickets to try again, or say --all: `tickettoken nft dead` shows them")
    return _run(arguments, environ, _replay)


async def _status(arguments: argparse.Namespace, parts: Parts) -> int:
    async with parts.database.worker() as unit:
        book = unit.mints
        states, nonces, all_trees = await book.states(), await book.nonces(), await book.trees()
        found = Status(
            configured=parts.minting is not None,
            network=None if parts.minting is None else parts.minting.desk.plan.network,
            states={one.state.value: one.count for one in states},
            elsewhere=sum(one.elsewhere for one in states),
            waiting_since=await book.oldest_due(),
            in_flight=len(await book.open_txs()),
            free_nonces=sum(one.state == "ready" and one.tx_id is None for one in nonces),
            trees_open=sum(one.state == "open" for one in all_trees),
            dead=sum(one.count for one in states if one.state.value == "dead"),
            lamports_spent=await book.spent_since(parts.context.clock.now() - _DAY),
        )
    _tell(arguments, found, *_describe_status(found))
    return 0


async def _trees(arguments: argparse.Namespace, parts: Parts) -> int:
    if arguments.make:
        desk = _chain(parts).desk
        if desk.plan.creator is None:
            raise InputUnusable("SOLANA_CREATOR_KEY is not set: making a tree needs the creator's key")
        await SetUp(desk).make_tree(TenantId(arguments.tenant), desk.plan.creator)
    async with parts.database.worker() as unit:
        found = await unit.mints.trees()
    _tell(arguments, found, *(describe_tree(one) for one in found), *([] if found else ["there are no trees"]))
    return 0


async def _mint(arguments: argparse.Namespace, parts: Parts) -> int:
    event, now = EventId(arguments.event), parts.context.clock.now()
    async with parts.database.worker() as unit:
        tenants = await unit.maintenance.tenants()
    for tenant in tenants:
        async with parts.context.db.tenant(tenant) as tx:
            if await tx.events.get(event) is not None:
                queued = await tx.assets.wish_missing(event, now)
                _tell(arguments, Queued(queued=queued), f"{queued} tickets queued")
                return 0
    raise EventUnknown("There is no event of this id: `tickettoken events list` shows all.")


async def _rename(arguments: argparse.Namespace, parts: Parts) -> int:
    event = EventId(arguments.event)
    async with parts.database.worker() as unit:
        called = await unit.mints.event_name(event)
        if called is None:
            raise EventUnknown("There is no event of this id: `tickettoken events list` shows all.")
        name = shorten(called)
        queued = await unit.mints.rename_assets(event, name)
    found = Renamed(name=name, queued=queued, lamports=queued * 2 * SIGNATURE_LAMPORTS)
    cost = f"for {found.lamports / SOL:.6f} SOL and what priority costs"
    _tell(arguments, found, f"{queued} assets are to be called {name!r}, {cost}")
    return 0


async def _verify(arguments: argparse.Namespace, parts: Parts) -> int:
    worker = MintWorker(_chain(parts).desk)
    async with parts.database.worker() as unit:
        known = [one for one in await unit.mints.trees() if one.state != "making"]
    found = {one.address: (await worker.follow_up(one))[1] for one in known}
    _tell(arguments, Verified(trees=found), *(f"{finding:<10} {tree}" for tree, finding in found.items()))
    return 0 if all(finding is Finding.EQUAL for finding in found.values()) else 1


async def _reconcile(arguments: argparse.Namespace, parts: Parts) -> int:
    desk = _chain(parts).desk
    found = await reconcile(desk, MintWorker(desk))
    _tell(arguments, found, *describe_report(found))
    return 0 if found.is_sound else 1


async def _dead(arguments: argparse.Namespace, parts: Parts) -> int:
    async with parts.database.worker() as unit:
        found = await unit.mints.dead(_MOST)
    _tell(arguments, found, *(describe_dead(one) for one in found), *([] if found else ["nothing was given up"]))
    return 0


async def _replay(arguments: argparse.Namespace, parts: Parts) -> int:
    async with parts.database.worker() as unit:
        count = await unit.mints.revive(None if arguments.all else arguments.ids)
    _tell(arguments, Queued(queued=count), f"{count} to be tried again")
    return 0 if arguments.all or count == len(set(arguments.ids)) else 1


def _run(arguments: argparse.Namespace, environ: Mapping[str, str], work: Work) -> int:
    async def inside() -> int:
        async with open_plan(arguments, environ) as plan, open_parts(plan) as parts:
            async with parts.database.worker() as unit:
                tenants = await unit.maintenance.tenants()
            async with noting(arguments, parts.context, tenants):
                return await work(arguments, parts)

    configure_logs(LogLevel.ERROR)
    return asyncio.run(inside())


def _chain(parts: Parts) -> Minting:
    if parts.minting is None:
        raise NoChain("No chain is named: set SOLANA_RPC_URLS and the keys that docs/how-to/tickets-on-chain.md lists.")
    return parts.minting


def _tell(arguments: argparse.Namespace, answer: object, *lines: str) -> None:
    text = msgspec.json.encode(answer).decode() if arguments.json else "\n".join(lines)
    sys.stdout.write(text + "\n")


def _describe_status(found: Status) -> list[str]:
    chain = f"on {found.network}" if found.configured else "no chain is named (SOLANA_RPC_URLS is not set)"
    states = [f"  {state:<13} {count}" for state, count in found.states.items()]
    waiting = (
        "nothing waits" if found.waiting_since is None else f"waiting since {found.waiting_since:%Y-%m-%d %H:%M:%S}"
    )
    return [
        f"assets, {chain}",
        *(states or ["  none"]),
        f"{waiting}; {found.in_flight} transactions under way, {found.free_nonces} nonces free, {found.trees_open} trees open",
        f"{found.lamports_spent / SOL:.6f} SOL spent in the last day; {found.elsewhere} moved by their holders",
        *([f"{found.dead} given up: `tickettoken nft dead` shows them"] if found.dead else []),
    ]
