"""Evenings on which people leave and come back as they like, with everything breaking that can; afterwards all is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.db.pool import PgDatabase
from tests.simulation.seeds import batches, name_batch, plan_of, play_all


@pytest.mark.timeout(900)  # ten evenings, on a machine that may have other things to do
@pytest.mark.parametrize("seeds", batches(), ids=name_batch)
async def test_everybody_agrees_on_who_is_inside(db: PgDatabase, files: Path, seeds: range) -> None:
    plans = [plan_of(seed, exits=True) for seed in seeds]
    reports = await play_all(db, files, plans, "test_in_and_out.py")
    assert not reports, "\n".join(reports)
