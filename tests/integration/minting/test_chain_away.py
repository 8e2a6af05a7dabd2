"""An evening whose event wants assets while no node answers is, at the doors, the evening of an event that wants none."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace
from solders.keypair import Keypair

from server.chain.desk import MintPlan
from server.chain.signing import Keys, MemorySigner
from server.chain.storage import OwnPages
from server.chain.wallets import Wallets
from server.db.pool import PgDatabase, open_database
from server.domain.nft import AssetState, NftMode
from server.minting import Minting, open_minting, run_minting
from server.services.checkin import CheckinRequest, check_in
from server.services.problems_access import AlreadyCheckedIn
from server.services.rows import TicketRow
from server.services.rows_gates import Tally
from server.settings_chain import ChainPlan
from shared.clock import ManualClock
from shared.settings import Secret
from shared.tickets.lifecycle import State
from tests.beats import Beats
from tests.conftest import Databases
from tests.integration.minting.mint import SEED, SMALL
from tests.integration.server.access.test_checkin_and_gates import show, steward
from tests.integration.server.doors.stage import EVENING, Stage, open_policy, set_up

NOWHERE = ("http://127.0.0.1:1/", "http://127.0.0.1:9/")


class Outcome(Struct, frozen=True, kw_only=True):
    """What the doors came to: each answer in order, the event's figures, its conflicts, and where its tickets are."""

    answers: list[str]
    tally: Tally
    conflicts: list[str]
    states: list[State]


def plan() -> ChainPlan:
    """Return how to mint on a chain that is away."""
    keys = [MemorySigner(Keypair.from_seed(bytes([n]) * 32)) for n in (40, 41, 42, 43)]
    mint = MintPlan(
        network="local",
        keys=Keys(payer=keys[0], minter=keys[1], operator=keys[2]),
        creator=keys[3],
        wallets=Wallets(SEED),
        storage=OwnPages("https://t.example"),
        shape=SMALL,
    )
    return ChainPlan(urls=tuple(Secret(one) for one in NOWHERE), mint=mint)


async def play(stage: Stage) -> Outcome:
    """Play an evening at the server's own door and at two gates that meet only at its end."""
    tickets = await stage.issue(6)
    north, south = await stage.enrol("North"), await stage.enrol("South")
    stage.clock.advance(timedelta(minutes=1))
    await stage.move(tickets[2].id, State.REFUNDED)
    passed_on = await stage.move(tickets[3].id, State.TRANSFERRED, new_generation=True)
    answers = [
        await come(stage, one) for one in (tickets[0], tickets[0], tickets[1], tickets[2], tickets[3], passed_on)
    ]
    await north.scan(tickets[4])
    await north.scan(tickets[5])
    stage.clock.advance(timedelta(seconds=20))
    await south.scan(tickets[5])
    await south.scan(tickets[1])
    for gate in (north, south):
        await gate.hand_over()
    answers.append(await come(stage, tickets[5]))
    async with stage.db.tenant(stage.tenant) as tx:
        conflicts = await tx.conflicts.list_of_event(stage.event, None, 1000)
        tally = await tx.scans.tally(stage.event)
    states = [(await stage.ticket(one.id)).state for one in tickets]
    kinds = sorted(f"{one.kind} {one.severity} {one.state}" for one in conflicts)
    return Outcome(answers=answers, tally=tally, conflicts=kinds, states=states)


async def come(stage: Stage, ticket: TicketRow) -> str:
    """Return what somebody with this ticket is told at the server's door."""
    stage.clock.advance(timedelta(seconds=30))
    request = CheckinRequest(code=await show(stage, ticket))
    try:
        return (await check_in(stage.context, steward(stage), ticket.id, request)).reason
    except AlreadyCheckedIn as problem:
        return problem.code


async def wish(stage: Stage) -> None:
    """Have each ticket of the event want an asset."""
    async with stage.db.tenant(stage.tenant) as tx:
        await tx.organising.change_event(replace(await stage.event_row(), nft=NftMode.MIRROR), tell_gates=False)


async def play_beside_a_worker(stage: Stage, db: PgDatabase) -> tuple[Outcome, Minting]:
    """Play the evening while a worker tries all the time to reach a chain that is away."""
    beats = Beats()
    async with open_minting(plan(), db, stage.context) as minting:
        worker = asyncio.create_task(run_minting(minting, db, stage.context, beats))
        try:
            outcome = await play(stage)
            await beats.until(lambda: any(node.breaker.is_open for node in minting.desk.nodes.all()))
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
    return outcome, minting


async def test_doors_do_the_same_with_the_chain_away_as_without_a_chain(database: Databases) -> None:
    async with open_database(database.app_dsn, database.worker_dsn) as db:
        without = await play(await set_up(db, ManualClock(EVENING), open_policy()))
        stage = await set_up(db, ManualClock(EVENING), open_policy())
        await wish(stage)
        away, minting = await play_beside_a_worker(stage, db)
        async with db.tenant(stage.tenant) as tx:
            assets = await tx.assets.count(stage.event)
    assert away == without
    assert len(away.answers) == 7
    assert (away.tally.entries, len(away.conflicts)) == (without.tally.entries, 2)
    assert Counter({one.state: one.count for one in assets}) == Counter({AssetState.QUEUED: 6})
    assert (minting.state.minted, minting.state.in_flight) == (0, 0)
