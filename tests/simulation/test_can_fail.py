"""The simulation is no rubber stamp: what is broken on purpose is found, and one seed always gives one evening."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from server.db.pool import PgDatabase
from server.domain.access import GateCaller
from server.services.link import Greeting
from shared.sync.ledger import ConflictClass
from shared.sync.wire import Ack, Hello, Scans
from tests.simulation.evening import Plan, open_evening
from tests.simulation.evidence import Evidence, GateEvidence, gather
from tests.simulation.expectation import Rules
from tests.simulation.oracle import judge
from tests.simulation.seeds import plan_of, play
from tests.simulation.server_side import SimServer
from tests.simulation.truth import Deed, Truth

BUSY = 0
"""A seed with conflicts of all classes, revocations and new generations."""


class ForgetfulServer(SimServer):
    """Says that it has what the first gate sends, and keeps none of it."""

    async def take(self, caller: GateCaller, frame: Scans) -> Ack:
        """Acknowledge, and forget where it is the first gate's."""
        if caller.gate != self.posts[0].row.id:
            return await super().take(caller, frame)
        batch = frame.signed.batch
        return Ack(incarnation=batch.incarnation, upto=batch.first_seq + len(batch.records) - 1)

    async def greet(self, caller: GateCaller, hello: Hello) -> Greeting:
        """Claim to know the first gate's whole log."""
        greeting = await super().greet(caller, hello)
        if caller.gate != self.posts[0].row.id:
            return greeting
        return replace(greeting, welcome=replace(greeting.welcome, acked=hello.last_gate_seq))


async def observe(db: PgDatabase, files: Path, plan: Plan) -> tuple[Evidence, Truth]:
    async with open_evening(db, files / f"{plan.seed}-{plan.salt}", plan) as evening:
        await evening.play()
        return await gather(evening), evening.truth


async def test_a_server_that_acknowledges_and_forgets_is_found_out(db: PgDatabase, files: Path) -> None:
    plan = plan_of(BUSY, exits=False)
    complaints = await play(db, files, plan, ForgetfulServer)
    assert any("is lost: the server has not got it" in one for one in complaints)
    assert any("gate 0 logged" in one for one in complaints)
    assert any("inside" in one for one in complaints)


def lose_admission(gate: GateEvidence) -> GateEvidence:
    """Return a gate that has not heard of one admission it should know."""
    name = next(name for name, seen in gate.sightings.items() if seen.admissions)
    seen = gate.sightings[name]
    return replace(gate, sightings=gate.sightings | {name: replace(seen, admissions=seen.admissions[1:])})


SPOILINGS: list[tuple[Callable[[Evidence], Evidence], str]] = [
    (lambda seen: replace(seen, scans=seen.scans[1:]), "is lost"),
    (lambda seen: replace(seen, scans=[*seen.scans, seen.scans[0]]), "twice"),
    (lambda seen: replace(seen, conflicts=seen.conflicts[1:]), "are called anything"),
    (lambda seen: replace(seen, conflicts=[*seen.conflicts, seen.conflicts[0]]), "two conflicts"),
    (lambda seen: replace(seen, entries=seen.entries + 1), "the server counts"),
    (lambda seen: replace(seen, gates=[lose_admission(seen.gates[0]), *seen.gates[1:]]), "gate 0 knows"),
    (lambda seen: replace(seen, gates=[replace(seen.gates[0], inside=0), *seen.gates[1:]]), "gate 0 counts 0 inside"),
    (lambda seen: replace(seen, settled=False), "no rest"),
]


async def test_an_oracle_with_a_wrong_rule_or_a_wrong_diary_disagrees(db: PgDatabase, files: Path) -> None:
    evidence, truth = await observe(db, files, plan_of(BUSY, exits=False))
    assert judge(evidence, truth) == []
    kinds = {row.kind for row in evidence.conflicts}
    assert kinds >= {ConflictClass.CLONE, ConflictClass.RACE, ConflictClass.STALE_STATE}
    assert any("is called clone" in one for one in judge(evidence, truth, Rules(one_phone_ms=0)))
    assert any("is called race" in one for one in judge(evidence, truth, Rules(one_phone_ms=10_000_000)))
    for spoil, complaint in SPOILINGS:
        assert any(complaint in one for one in judge(spoil(evidence), truth)), complaint
    truth.changes[:] = [change for change in truth.changes if change.deed not in {Deed.REVOKE, Deed.LOCK}]
    assert any("is revoked, although" in one for one in judge(evidence, truth))


@pytest.mark.parametrize("exits", [False, True], ids=["one-entry", "in-and-out"])
async def test_one_seed_always_gives_the_same_evening(db: PgDatabase, files: Path, *, exits: bool) -> None:
    plan = plan_of(1, exits=exits)
    _, first = await observe(db, files, plan)
    _, again = await observe(db, files, replace(plan, salt=1))
    _, other = await observe(db, files, replace(plan, seed=2, salt=2))
    assert diary(first) == diary(again)
    assert diary(first) != diary(other)


def diary(truth: Truth) -> list[object]:
    scans = [(one.gate, one.gate_seq, one.ticket, one.generation, one.at_ms, one.reason) for one in truth.scans]
    return [scans, truth.changes, truth.counts]


async def test_the_seeds_reach_every_class_and_every_answer_of_the_table(db: PgDatabase, files: Path) -> None:
    kinds: set[ConflictClass] = set()
    happened: set[str] = set()
    for salt, (seed, exits) in enumerate([(BUSY, False), (10, False), (5, True)]):
        evidence, truth = await observe(db, files, Plan(seed=seed, exits=exits, salt=salt))
        assert judge(evidence, truth) == []
        kinds |= {row.kind for row in evidence.conflicts}
        happened |= set(truth.counts)
    assert kinds == set(ConflictClass)
    assert happened >= {"answer double_read", "answer ok_reentry", "answer must_exit_first", "taken back", "overridden"}
    assert happened >= {"found by number", "partition", "server crash", "relay crash", "gate crash", "snapshot"}
