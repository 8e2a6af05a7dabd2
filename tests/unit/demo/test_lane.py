"""A lane's lines matched to the people in front of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from server.demo.lane import Guest, Lane, Seen
from shared.problems import Unavailable
from tests.unit.demo.samples import guest

ENOUGH_S = 10.0
SHORT_S = 0.2


def line(person: Guest, **changes: object) -> bytes:
    """Return what the agent prints about a person."""
    scan: dict[str, object] = {
        "type": "scan",
        "at": "2026-06-20T19:00:00Z",
        "code": person.code,
        "admitted": True,
        "reason": "ok",
        "gate_seq": 1,
        "mode": "online",
        "took_ms": {"decode": 5.0, "verify": 1.0, "rule": 1.0, "commit": 1.0, "total": 12.5},
    }
    return msgspec.json.encode(scan | changes) + b"\n"


def lane_at(home: Path, *written: bytes) -> Lane:
    """Return a lane whose agent wrote these lines."""
    (home / "lane.jsonl").write_bytes(b"".join(written))
    return Lane("North", home, "http://127.0.0.1:9")


def match(lane: Lane, guests: list[Guest], timeout_s: float = ENOUGH_S) -> list[Seen | None]:
    """Return what the lane says about these people."""
    return asyncio.run(lane.wait_for_scans(guests, timeout_s))


def reasons(found: list[Seen | None]) -> list[str | None]:
    """Return the reasons only."""
    return [one.reason if one is not None else None for one in found]


def test_each_guest_gets_the_line_with_their_code_whatever_the_order(tmp_path: Path) -> None:
    ada, ben = guest("ADA"), guest("BEN")
    lane = lane_at(tmp_path, line(ben, reason="code_stale", admitted=False), line(ada))
    assert reasons(match(lane, [ada, ben])) == ["ok", "code_stale"]


def test_code_shown_twice_takes_two_lines_in_their_order(tmp_path: Path) -> None:
    ada = guest("ADA")
    lane = lane_at(tmp_path, line(ada), line(ada, admitted=False, reason="already_used"))
    assert reasons(match(lane, [ada, ada])) == ["ok", "already_used"]


def test_double_read_is_nobodys_answer(tmp_path: Path) -> None:
    ada = guest("ADA")
    repeat = line(ada, admitted=False, reason="double_read", gate_seq=None)
    lane = lane_at(tmp_path, line(ada), repeat, line(ada, admitted=False, reason="already_used"))
    assert reasons(match(lane, [ada, ada])) == ["ok", "already_used"]
    assert [one.recorded for one in lane.seen] == [True, False, True]


def test_guest_who_was_never_read_has_no_answer(tmp_path: Path) -> None:
    ada, ben = guest("ADA"), guest("BEN")
    assert reasons(match(lane_at(tmp_path, line(ada)), [ada, ben], SHORT_S)) == ["ok", None]


def test_answers_of_an_earlier_film_do_not_count_for_the_next(tmp_path: Path) -> None:
    ada = guest("ADA")
    lane = lane_at(tmp_path, line(ada))
    assert reasons(match(lane, [ada])) == ["ok"]
    assert reasons(match(lane, [ada], SHORT_S)) == [None]


def test_half_written_line_waits_for_its_end(tmp_path: Path) -> None:
    ada = guest("ADA")
    whole = line(ada)
    lane = lane_at(tmp_path, whole[:20])
    assert reasons(match(lane, [ada], SHORT_S)) == [None]
    with (tmp_path / "lane.jsonl").open("ab") as log:
        log.write(whole[20:])
    assert reasons(match(lane, [ada])) == ["ok"]


def test_time_of_a_verdict_is_the_whole_from_frame_to_record(tmp_path: Path) -> None:
    ada = guest("ADA")
    (found,) = match(lane_at(tmp_path, line(ada)), [ada])
    assert found is not None
    assert found.total_ms == 12.5


def test_condition_that_does_not_come_is_a_problem_that_names_the_gate(tmp_path: Path) -> None:
    status = msgspec.json.encode({"type": "status", "linked": False, "backlog": 3}) + b"\n"
    lane = lane_at(tmp_path, status)
    asyncio.run(lane.wait_for_status("offline", ENOUGH_S, linked=False, backlog=3))
    with pytest.raises(Unavailable, match="North did not get to “linked”"):
        asyncio.run(lane.wait_for_status("linked", SHORT_S, linked=True))
