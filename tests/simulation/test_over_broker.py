"""Evenings whose gates are linked over a real broker, which is killed in some; afterwards all is right there too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.lanes import Lanes
from tests.simulation.seeds import broker_batches, name_batch, plan_of, play_over_broker


@pytest.mark.timeout(900)  # fifteen evenings, on a machine that may have other things to do
@pytest.mark.parametrize("exits", [False, True], ids=["one entry", "in and out"])
@pytest.mark.parametrize("seeds", broker_batches(), ids=name_batch)
async def test_everybody_agrees_when_gates_are_linked_over_a_broker(
    lanes: Lanes, files: Path, seeds: range, exits: bool
) -> None:
    plans = [plan_of(seed, exits=exits) for seed in seeds]
    reports = await play_over_broker(lanes, files, plans)
    assert not reports, "\n".join(reports)
