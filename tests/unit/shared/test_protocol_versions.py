"""Which version of the sync protocol two programs of different age speak."""

from __future__ import annotations

import pytest

from shared.sync.wire import OLDEST_PROTOCOL, PROTOCOL, agree


@pytest.mark.parametrize(
    ("offered", "spoken"),
    [(2, 2), (3, 3), (4, 3), (99, 3), (1, None), (0, None)],
)
def test_the_older_one_is_met_as_long_as_it_is_still_spoken(offered: int, spoken: int | None) -> None:
    assert agree(offered, newest=3, oldest=2) == spoken


def test_two_programs_of_neighbouring_versions_agree_whoever_is_newer() -> None:
    older = {"newest": 4, "oldest": 3}
    newer = {"newest": 5, "oldest": 4}
    assert agree(older["newest"], **newer) == agree(newer["newest"], **older) == 4


def test_the_version_before_is_still_spoken() -> None:
    assert max(1, PROTOCOL - 1) >= OLDEST_PROTOCOL
    assert agree(max(1, PROTOCOL - 1)) is not None
