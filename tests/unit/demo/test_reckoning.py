"""The end of the tour: every figure that does not add up becomes a problem of the result."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from rich.console import Console

from server.demo.cable import Cable
from server.demo.lane import Lane
from server.demo.narrator import Narrator
from server.demo.reckoning import reckon
from server.demo.story import Stage, Told
from server.demo.summary import Summary
from shared.clock import ManualClock
from tests.unit.demo.box_office import EVENT, Answers, Json, open_venue
from tests.unit.demo.samples import seen
from tests.unit.shared.samples import NOW

PLACES = 3


class Case(Struct, frozen=True, kw_only=True):
    """How an evening is spoiled, and the words by which the tour must say so."""

    figures: Json = {}
    conflict: Json = {}
    leaks: tuple[str, ...] = ()
    says: str


def figures(**changes: object) -> Json:
    """Return what a server says of two admissions on one ticket and one refusal."""
    right: Json = {
        "scans": 3,
        "entries": 2,
        "exits": 0,
        "inside": 2,
        "ticketsUsed": 1,
        "refusedByReason": {"code_stale": 1},
        "conflictsByClass": {"clone": 1},
    }
    return right | changes


def conflict(**changes: object) -> Json:
    """Return the one conflict with its evidence."""
    evidence = {
        which: {"gateName": gate, "at": "2026-06-20T19:00:00Z", "mode": "offline", "proven": True} | changes
        for which, gate in (("earlier", "North"), ("later", "South"))
    }
    return {"kind": "clone", "severity": "high", "evidence": evidence}


async def tell(home: Path, answers: Answers) -> Summary:
    """Sell out, have three people scanned, and return what the tour makes of the server's figures."""
    async with open_venue(answers, PLACES) as venue:
        await venue.sell_out(lambda _: None)
        north, south = (Lane(name, home, "http://127.0.0.1:9") for name in ("North", "South"))
        north.seen += [seen(gate_seq=1), seen(admitted=False, reason="code_stale", gate_seq=2, mode="offline")]
        south.seen += [seen(gate_seq=1, mode="offline"), seen(admitted=False, reason="double_read", gate_seq=None)]
        stage = Stage(
            venue=venue,
            cable=Cable(9),
            north=north,
            south=south,
            narrator=Narrator(Console(quiet=True)),
            clock=ManualClock(NOW),
        )
        return await reckon(stage, Told(problems=[]), 12.34)


def play(home: Path, case: Case | None = None) -> Summary:
    """Play the end of an evening."""
    answers = Answers()
    answers.figures = figures(**(case.figures if case else {}))
    answers.conflicts = [conflict(**(case.conflict if case else {}))]
    answers.leaks = set(case.leaks) if case else set()
    return asyncio.run(tell(home, answers))


def test_figures_that_add_up_are_no_problem(tmp_path: Path) -> None:
    result = play(tmp_path)
    assert result.problems == []
    assert (result.scans, result.admitted, result.refused) == (3, 2, {"code_stale": 1})
    assert (result.offline_scans, result.synced, result.unsynced) == (2, 3, 0)
    assert (result.tickets, result.tickets_used, result.seconds) == (PLACES, 1, 12.3)


SPOILED: dict[str, Any] = {
    "a scan is missing": Case(figures={"scans": 2}, says="scans stored by the server"),
    "a scan came twice": Case(figures={"scans": 4}, says="scans stored by the server"),
    "an entry is missing": Case(figures={"entries": 1, "inside": 1}, says="entries"),
    "somebody vanished": Case(figures={"inside": 1}, says="people inside"),
    "a ticket was not used up": Case(figures={"ticketsUsed": 2}, says="tickets used"),
    "another reason was stored": Case(figures={"refusedByReason": {"code_forged": 1}}, says="refusals"),
    "the clone went unnoticed": Case(figures={"conflictsByClass": {}}, says="conflicts"),
    "the evidence proves nothing": Case(conflict={"proven": False}, says="carries no valid proof"),
    "the walls have a hole": Case(leaks=(f"/api/v1/events/{EVENT}/scans",), says="the other organiser can reach"),
}


@pytest.mark.parametrize("case", SPOILED.values(), ids=SPOILED.keys())
def test_what_does_not_add_up_is_told(tmp_path: Path, case: Case) -> None:
    problems = play(tmp_path, case).problems
    assert any(case.says in problem for problem in problems), problems
