"""A drill shows every case a steward must know, on a real gate, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from gate.app import AgentSetup, open_agent
from gate.drill import DRILL_PIN, prepare_drill, show_code
from gate.outcome import Outcome
from gate.running import RunPlan, Stopper, run_agent
from gate.sources import NO_SOURCE, SourceChoice
from shared.admission.verdict import Reason
from shared.clock import SystemClock

CASES = [
    Reason.OK,
    Reason.ALREADY_USED_ELSEWHERE,
    Reason.CODE_STALE,
    Reason.WRONG_ZONE,
    Reason.ID_CHECK_REQUIRED,
    Reason.DOUBLE_READ,
    Reason.CANCELLED,
    Reason.TRANSFERRED_OR_REISSUED,
    Reason.CODE_UNREADABLE,
    Reason.OK,
]


async def test_drill_goes_through_every_case_and_nobody_hears_of_it(tmp_path: Path) -> None:
    clock, heard = SystemClock(), list[Outcome]()
    drill = await prepare_drill(tmp_path / "drill", clock.now())

    async def sink(outcome: Outcome) -> None:
        heard.append(outcome)

    async def tell(_what: str, _status: object) -> None:
        return

    setup = AgentSetup(
        directory=tmp_path / "drill",
        identity=drill.identity,
        keys=drill.keys,
        clock=clock,
        software="test",
        sink=sink,
    )
    plan = RunPlan(source=SourceChoice(text=NO_SOURCE), wait_s=0.0, drain_s=0.0, exit_at_end=False, linked=False)
    async with open_agent(setup) as agent:
        stopper = Stopper(agent.watch.ring)
        running = asyncio.ensure_future(run_agent(agent, plan, stopper, tell))
        async with asyncio.timeout(20):
            for guest in drill.guests:
                await agent.view.submit(show_code(drill, guest, clock.now()))
            await agent.desk.settle()
            [supervisor] = agent.view.staff.supervisors()
            assert (await agent.view.staff.sign_in(supervisor.id, DRILL_PIN)).accepted
            stopper.stop()
            await running
        assert agent.driver.backlog > 0
        assert not agent.engine.linked
    assert [outcome.verdict.reason for outcome in heard] == CASES
    assert heard[0].holder is not None
    assert heard[2].skew_s == -int(timedelta(minutes=5).total_seconds())
