"""One seed's evening: who comes when, what breaks when, and then a quiet time in which everything must come right."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

from msgspec import Struct

from gate.store import log as log_store
from gate.store import world as world_store
from gate.store.opening import open_database
from server.db.pool import PgDatabase
from shared.admission.verdict import Direction
from shared.clock import ManualClock
from tests.simulation.deeds import do_deed
from tests.simulation.gate_side import Means, SimGate
from tests.simulation.hall import EVENING, Hall, Post, enrol_gates, make_policy, open_hall
from tests.simulation.network import Network
from tests.simulation.server_side import SimServer
from tests.simulation.staff import Staff
from tests.simulation.timeline import Happening, Timeline
from tests.simulation.truth import Answered, Deed, Truth, Visit

CALM_MS = 8_000
STORM_MS = 90_000
PATIENCE_MS = 240_000
TICK_MS = 4_000
RELAY_MS = 2_500
_SKEWS_S = (0, 0, 0.3, -0.3, 2, -20, 45, -90, 150, -240)


class Size(Struct, frozen=True, kw_only=True):
    """How much happens in one evening."""

    gates: int = 20
    tickets: int = 8
    visits: int = 45
    deeds: int = 12
    breakdowns: int = 14


class Plan(Struct, frozen=True, kw_only=True):
    """Which evening it is: the seed, whether people may leave and come back, and how much happens.

    ``salt`` gives the same evening other names, so that it can be played twice in one database.
    """

    seed: int
    exits: bool
    size: Size = Size()
    salt: int = 0


MakeServer = Callable[[Hall, list[Post], Truth, Random], SimServer]


class Evening:
    """A hall, its server and gates, and what befalls them."""

    def __init__(self, means: Means, gates: list[SimGate], plan: Plan) -> None:
        self.means = means
        self.gates = gates
        self.plan = plan
        self.truth = means.truth
        self._rng = means.rng
        self._timeline = means.timeline
        self._staff = Staff(means, exits=plan.exits)

    async def play(self) -> None:
        """Let the whole evening pass; ``settled`` tells whether it came right in the end."""
        await self.begin()
        self._plan_storm()
        self.means.network.stormy = True
        await self._timeline.run_until(CALM_MS + STORM_MS)
        await self.heal()

    async def begin(self) -> None:
        """Open the doors and let everybody come to know of everything."""
        self._keep(RELAY_MS, self._tick_relay)
        for number, gate in enumerate(self.gates):
            await gate.start()
            self._timeline.after(number * 37, self._ticking(gate))
        await self._timeline.run_until(CALM_MS)

    async def let_pass(self, visits: int, within_ms: int) -> None:
        """Let people come for a while, and nothing break."""
        for _ in range(visits):
            self._timeline.after(self._rng.randrange(within_ms), self._visit)
        await self._timeline.run_until(self._timeline.now_ms + within_ms)

    async def settled(self) -> bool:
        """Say whether nothing is under way any more and everybody says that they know everything."""
        server = self.means.server
        if not server.up or server.relay_due:
            return False
        async with self.means.hall.db.tenant(self.means.hall.tenant) as tx:
            head = await tx.feed.head(self.means.hall.event.id)
        lives = [gate.life for gate in self.gates]
        return all(
            life is not None and life.engine.current and not life.engine.backlog and life.engine.cursor == head
            for life in lives
        )

    async def heal(self) -> None:
        """Mend everything, and wait until all is at rest, or far too long."""
        self.means.network.stormy = False
        self.means.network.mend(range(len(self.gates)))
        self.means.hall.door.doom = None
        for gate in self.gates:
            gate.fuse = None
            await gate.revive()
        end_ms = self._timeline.now_ms + PATIENCE_MS
        while self._timeline.now_ms < end_ms and not await self.settled():
            await self._timeline.run_until(self._timeline.now_ms + 15_000)

    def _plan_storm(self) -> None:
        size, rng = self.plan.size, self._rng
        for _ in range(size.visits):
            self._some_time(self._visit)
        for _ in range(size.deeds):
            self._some_time(self._do_deed)
        for _ in range(size.breakdowns):
            self._some_time(rng.choice((self._cut_off, self._cut_off, self._break_gate, self._break_server)))
        for _ in range(3):
            self._some_time(self.means.server.kill_relay)
            self._some_time(self._set_clock)

    def _some_time(self, happening: Happening) -> None:
        self._timeline.after(self._rng.randrange(STORM_MS), happening)

    async def _visit(self) -> None:
        """Somebody shows a ticket somewhere, and often somebody else shows the same one elsewhere soon after."""
        rng = self._rng
        ticket = rng.randrange(len(self.means.hall.tickets))
        generation = self.truth.generation(ticket)
        if generation and rng.random() < 0.35:
            generation = rng.randrange(generation)
        inside = sum(1 if one.direction is Direction.ENTRY else -1 for one in self.truth.admitted(ticket))
        leaving = self.plan.exits and inside > 0 and rng.random() < 0.6
        wanted = Direction.EXIT if leaving else Direction.ENTRY
        gates = [gate for gate in self.gates if gate.post.row.direction is wanted]
        first, *others = rng.sample(gates, min(3, len(gates)))
        visit = Visit(ticket=ticket, generation=generation)
        if not self.plan.exits and rng.random() < 0.06:
            await self._staff.admit_found(first, visit)
            return
        await self._show(first, visit)
        if not leaving and rng.random() < 0.4:
            for gate in others:
                self._timeline.after(rng.randrange(200, 90_000), partial(self._show, gate, visit))
        if not leaving and rng.random() < 0.1:
            self._timeline.after(rng.randrange(300, 9000), partial(self._show, first, visit))

    async def _show(self, gate: SimGate, visit: Visit) -> None:
        hall, timeline = self.means.hall, self._timeline
        text = await hall.code(visit.ticket, visit.generation, hall.clock.now())
        outcome = await gate.show(text)
        if outcome is None:
            self.truth.tally("gate not ready")
            return
        self.truth.tally(f"answer {outcome.verdict.reason.value}")
        if outcome.scan is not None and outcome.gate_seq is not None:
            self.truth.write(
                Answered(
                    scan=outcome.scan,
                    gate=gate.number,
                    gate_seq=outcome.gate_seq,
                    ticket=visit.ticket,
                    generation=visit.generation,
                    at_ms=timeline.now_ms,
                    direction=gate.post.row.direction,
                    admitted=outcome.verdict.admitted,
                    reason=outcome.verdict.reason,
                )
            )
        if self.means.network.stormy and self._rng.random() < 0.04:
            # The record is on the disk; nobody was told, and the program has not heard of it either.
            await gate.crash()
            return
        await gate.note(outcome)
        await self._staff.attend(gate, visit, outcome)

    async def _do_deed(self) -> None:
        deed = self._rng.choice(list(Deed))
        await do_deed(self.means, deed, self._rng.randrange(len(self.means.hall.tickets)))

    async def _cut_off(self) -> None:
        """Cut one gate or half of them off for a while."""
        rng, network = self._rng, self.means.network
        some = rng.sample(range(len(self.gates)), rng.choice((1, 2, len(self.gates) // 2)))
        network.part(some)
        self.truth.tally("partition")

        async def mend() -> None:
            network.mend(some)

        self._timeline.after(rng.randrange(10_000, 90_000), mend)

    async def _break_gate(self) -> None:
        self._rng.choice(self.gates).fuse = self._rng.randrange(6)

    async def _break_server(self) -> None:
        if self.means.server.up:
            self.means.hall.door.doom = self._rng.choice(("before", "after"))

    async def _set_clock(self) -> None:
        self._rng.choice(self.gates).clock.skew = timedelta(seconds=self._rng.choice(_SKEWS_S))
        self.truth.tally("clock set")

    async def _tick_relay(self) -> None:
        await self.means.server.run_relay(self._rng.choice((2, 500)) if self.means.network.stormy else 500)

    def _ticking(self, gate: SimGate) -> Happening:
        async def tick() -> None:
            await gate.tick()
            self._timeline.after(TICK_MS, tick)

        return tick

    def _keep(self, every_ms: int, happening: Happening) -> None:
        async def again() -> None:
            await happening()
            self._timeline.after(every_ms, again)

        self._timeline.after(every_ms, again)


@asynccontextmanager
async def open_evening(
    db: PgDatabase, directory: Path, plan: Plan, make_server: MakeServer = SimServer
) -> AsyncIterator[Evening]:
    """Set up an evening in an open database; its gates' files are made under ``directory``."""
    names = Random(f"{plan.seed} {plan.exits} {plan.salt}")  # noqa: S311 # to be the same again, not to be secret
    rng, clock, truth = Random(plan.seed), ManualClock(EVENING), Truth()  # noqa: S311 # the same
    hall = await open_hall(db, clock, names, plan.size.tickets, make_policy(exits=plan.exits))
    posts = await enrol_gates(hall, names, _directions(plan))
    timeline = Timeline(clock)
    network, server = Network(timeline, rng), make_server(hall, posts, truth, rng)
    means = Means(
        hall=hall,
        server=server,
        network=network,
        timeline=timeline,
        truth=truth,
        rng=rng,
        blank=await _make_blank(directory / "blank"),
    )
    gates = [_make_gate(means, number, directory) for number in range(len(posts))]
    server.join(timeline, network, lambda wire, data: gates[wire.gate].on_frame(wire, data))
    try:
        yield Evening(means, gates, plan)
    finally:
        for gate in gates:
            await gate.stop()
        await server.close()


def _directions(plan: Plan) -> list[Direction]:
    return [Direction.EXIT if plan.exits and number % 4 == 3 else Direction.ENTRY for number in range(plan.size.gates)]


def _make_gate(means: Means, number: int, directory: Path) -> SimGate:
    skew = timedelta(seconds=means.rng.choice(_SKEWS_S))
    return SimGate(means, number, directory / f"gate-{number}", skew)


async def _make_blank(directory: Path) -> Path:
    """Make the files of a gate that has seen nothing, to be copied: making the tables takes longer than all else."""
    directory.mkdir(parents=True)
    for name, kind in ((log_store.LOG_NAME, log_store.KIND), (world_store.WORLD_NAME, world_store.KIND)):
        await (await open_database(directory / name, kind)).close()
    return directory
