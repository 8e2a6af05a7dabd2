"""Trace ids on their way from program to program."""

from __future__ import annotations

import pytest

from shared.trace import read_trace, write_parent

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_what_was_written_is_read() -> None:
    parent = write_parent(TRACE, b"step")
    assert parent is not None
    assert read_trace(parent) == TRACE
    assert parent == write_parent(TRACE, b"step") != write_parent(TRACE, b"another")


@pytest.mark.parametrize(
    "parent",
    [
        "",
        TRACE,
        f"01-{TRACE}-b7ad6b7169203331-01",
        f"00-{TRACE.upper()}-b7ad6b7169203331-01",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-b7ad6b7169203331-01-more",
        f"00-{TRACE}\n-b7ad6b7169203331-01",
    ],
)
def test_what_is_no_parent_has_no_trace(parent: str) -> None:
    assert read_trace(parent) is None


@pytest.mark.parametrize("other", ["", "order-77", TRACE[:-1], f"{TRACE}0"])
def test_ids_of_other_kinds_make_no_parent(other: str) -> None:
    assert write_parent(other, b"step") is None
