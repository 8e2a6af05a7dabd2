"""A recording is answered as the gate would have answered it then, and nothing remembers that."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import msgspec
import pytest
from msgspec import Struct

from gate.cli_replay import parse_moment
from gate.film.script import film_of
from gate.film.writer import render_film
from gate.rehearsal import open_rehearsal
from gate.store.log import LOG_NAME
from gate.store.world import WORLD_NAME, open_world
from shared.codes.number import write_number
from shared.problems import InputUnusable
from tests.integration.gate.test_cli import gate
from tests.integration.gate.venue import SOUTH, passage, prepare_gate
from tests.unit.scanner.test_decoder import draw_code, place

NOW = datetime(2026, 6, 20, 18, 0, tzinfo=UTC)


class Told(Struct, frozen=True, kw_only=True):
    """One showing as --json tells it."""

    answer: dict[str, object]


def digest(directory: Path) -> dict[str, str]:
    """Return what lies in the two files."""
    return {name: hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in (LOG_NAME, WORLD_NAME)}


def test_film_is_answered_at_its_own_time_and_nothing_is_recorded(tmp_path: Path) -> None:
    data = tmp_path / "data"
    venue = prepare_gate(data, 3, NOW)
    codes = [*venue.codes(range(1, 3), NOW), "HTTPS://EXAMPLE.ORG/MENU"]
    render_film(film_of([*codes, codes[0]], frames=24, pause_frames=80), tmp_path / "door.avi")
    assert gate("status", "--data", data).status == 0
    before = digest(data)
    done = gate("replay", tmp_path / "door.avi", "--data", data, "--at", NOW.isoformat(), "--json")
    words = gate("replay", tmp_path / "door.avi", "--data", data, "--at", NOW.isoformat())
    assert digest(data) == before
    assert (done.status, done.err, words.status) == (0, "", 0)
    told = done.lines[0]
    answers = [line.answer for line in msgspec.convert(told["showings"], list[Told])]
    assert [answer["reason"] for answer in answers] == ["ok", "ok", "code_unreadable", "already_used"]
    numbers = [write_number(venue.ticket(number).entry.handle_hash) for number in (1, 2)]
    assert [answer["number"] for answer in answers] == [*numbers, None, numbers[0]]
    assert told["recorded"] == 0
    assert numbers[0] in words.out
    assert "4 showings: 2 admitted, 2 refused, 0 repeated. Nothing was recorded." in words.out
    assert gate("status", "--data", data, "--json").lines[0]["scans"] == 0


def test_folder_of_pictures_is_answered_picture_by_picture(tmp_path: Path) -> None:
    venue, folder = prepare_gate(tmp_path / "data", 1, NOW), tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(folder / name), place(draw_code(venue.code(venue.ticket(1), NOW))))
    done = gate("replay", folder, "--data", tmp_path / "data", "--at", NOW.isoformat())
    assert (done.out.count("ADMIT"), done.out.count("REPEAT"), done.out.count("double_read")) == (1, 1, 1)


async def test_passages_count_only_from_when_they_happened(tmp_path: Path) -> None:
    venue = await asyncio.to_thread(prepare_gate, tmp_path, 1, NOW)
    ticket = venue.ticket(1)
    world = await open_world(tmp_path)
    await world.apply([passage(ticket, gate=SOUTH, at_ms=int(NOW.timestamp() * 1000), seq=9)], 9)
    await world.close()
    answers = []
    for at in (NOW - timedelta(minutes=5), NOW + timedelta(minutes=5)):
        async with open_rehearsal(tmp_path, at, None) as rehearsal:
            answers.append(await rehearsal.answer(venue.code(ticket, at), 0.0))
    assert [answer.reason.value for answer in answers] == ["ok", "already_used_elsewhere"]
    assert (answers[1].prior_gate, answers[1].prior_at) == ("South 1", NOW)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("0",), "no recording"),
        (("gone.avi",), "no video file"),
        (("x.avi", "--at", "yesterday"), "is no moment"),
    ],
)
def test_what_cannot_be_replayed_is_told_in_a_line(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    prepare_gate(tmp_path, 1)
    done = gate("replay", "--data", tmp_path, *arguments)
    assert (done.status, done.err.count("\n")) == (2, 1)
    assert told in done.err


def test_moment_without_an_offset_is_local_and_one_with_it_is_not() -> None:
    assert parse_moment("2026-06-20T18:00:00Z") == NOW
    assert parse_moment("2026-06-20T18:00:00") == datetime(2026, 6, 20, 18, 0).astimezone(UTC)
    with pytest.raises(InputUnusable):
        parse_moment("20 past 8")
