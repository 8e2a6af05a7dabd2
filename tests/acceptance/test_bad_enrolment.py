"""Becoming a gate with a code that does not count, or with no server to ask: told in one line, and nothing is enrolled."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from server.domain.enrolment import read_code
from server.domain.limits import DEFAULT_QUOTAS, LimitClass
from shared.codes.base32 import ALPHABET
from tests.acceptance.house import House, fresh_place, open_house
from tests.acceptance.programs import Said, call, gate_command
from tests.acceptance.refusals import AWAY, UNUSABLE, check_refused

CLOSED_PORT = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Give a running server for this module."""
    with fresh_place() as place, open_house(place / "server") as opened:
        yield opened


def enrol(data: Path, server: str, code: str) -> Said:
    """Try to become a gate."""
    return call(gate_command("enrol", "--server", server, "--data", str(data), code))


def check_not_enrolled(said: Said, status: int, words: str, data: Path) -> None:
    """The attempt failed as it should; a code is never repeated, and the next attempt may use the same directory."""
    check_refused(said, status, words)
    assert not re.search("TT1-[^ ]", said.errors + said.output)
    assert not (data / "identity.json").exists()
    assert call(gate_command("status", "--data", str(data))).status == 1


def test_code_nobody_made_is_refused(house: House, tmp_path: Path) -> None:
    code = house.enrolment_code("North")
    # The last symbol but one carries five bits of the secret; another one there is another code.
    other = code[:-2] + ALPHABET[(ALPHABET.index(code[-2]) + 1) % 32] + code[-1]
    check_not_enrolled(enrol(tmp_path, house.base_url, other), 1, "code", tmp_path)
    assert enrol(tmp_path, house.base_url, code).status == 0


def test_used_code_is_refused_to_everybody_else(house: House, tmp_path: Path) -> None:
    code = house.enrolment_code("North")
    first, second = tmp_path / "first", tmp_path / "second"
    assert enrol(first, house.base_url, code).status == 0
    check_not_enrolled(enrol(second, house.base_url, code), 1, "was enrolled with this code already", second)
    identity = (first / "identity.json").read_bytes()
    check_refused(enrol(first, house.base_url, house.enrolment_code("South")), 1, "give another --data")
    assert (first / "identity.json").read_bytes() == identity


def test_expired_code_is_refused(house: House, tmp_path: Path) -> None:
    code = house.enrolment_code("North")
    assert asyncio.run(age(house, code)) == "UPDATE 1"
    check_not_enrolled(enrol(tmp_path, house.base_url, code), 1, "too old: ask the organiser for a new one", tmp_path)


async def age(house: House, code: str) -> str:
    """Make a code half an hour older than it is."""
    owner = await asyncpg.connect(house.owner_dsn)
    try:
        await owner.execute("SELECT set_config('app.tenant', $1, false)", str(house.event.tenant))
        return str(
            await owner.execute(
                "UPDATE enrolment_codes SET expires_at = $1 WHERE code_hash = $2",
                datetime.now(UTC) - timedelta(minutes=15),
                read_code(code).code_hash,
            )
        )
    finally:
        await owner.close()


def test_server_that_is_away_is_told(tmp_path: Path) -> None:
    check_not_enrolled(enrol(tmp_path, CLOSED_PORT, "TT1-ABCD"), AWAY, "check the address and the network", tmp_path)


def test_somebody_elses_server_is_told(house: House, tmp_path: Path) -> None:
    said = enrol(tmp_path, f"{house.base_url}/some/page", house.enrolment_code("North"))
    check_not_enrolled(said, 1, "", tmp_path)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://tickets.example.org", "give an https:// address"),
        ("tickets.example.org", "is not an address"),
        ("ftp://tickets.example.org", "is not an address"),
        ("https://me:secret@tickets.example.org", "scheme, host and perhaps a path"),
        ("https://[::1", "is not an address"),
        ("https://tickets.example.org:port", "is not an address"),
    ],
)
def test_address_that_cannot_be_used_is_refused_before_anything_is_made(
    tmp_path: Path, address: str, words: str
) -> None:
    data = tmp_path / "data"
    check_refused(enrol(data, address, "TT1-ABCD"), UNUSABLE, words)
    assert not data.exists()


def test_gate_whose_copy_is_damaged_fetches_it_again_and_keeps_its_log(house: House, tmp_path: Path) -> None:
    assert enrol(tmp_path, house.base_url, house.enrolment_code("North")).status == 0
    run = gate_command("run", "--headless", "--source", "stdin", "--exit-at-end", "--data", str(tmp_path))
    assert call(run, given=b"NO TICKET\n").status == 0
    log = hashlib.sha256((tmp_path / "log.db").read_bytes()).digest()
    world = tmp_path / "world.db"
    world.write_bytes(world.read_bytes()[:4096] + b"\xff" * 20_000)
    assert call(gate_command("doctor", "--data", str(tmp_path))).status == 1
    assert hashlib.sha256((tmp_path / "log.db").read_bytes()).digest() == log
    again = call(run, given=b"NO TICKET EITHER\n")
    assert again.status == 0, again.errors
    assert '"gate_seq":2' in again.output
    assert len(list(tmp_path.glob("world.db.damaged-*"))) >= 1
    assert call(gate_command("doctor", "--data", str(tmp_path))).status == 0


@pytest.mark.parametrize(
    ("code", "status"), [("TT1-????", 1), ("hello", 1), ("TT2-AAAA-BBBB", 1), ("TT1-" + "0" * 500, UNUSABLE)]
)
def test_text_that_is_no_code_is_refused(house: House, tmp_path: Path, code: str, status: int) -> None:
    words = "it begins with TT1- and has 42 letters and digits after that"
    check_not_enrolled(enrol(tmp_path, house.base_url, code), status, words, tmp_path)


def test_guessing_is_slowed_down(house: House, tmp_path: Path) -> None:
    quota = DEFAULT_QUOTAS[LimitClass.ENROL]
    assert quota is not None
    for _ in range(quota.calls):
        enrol(tmp_path, house.base_url, "TT1-GUESS")
    check_not_enrolled(enrol(tmp_path, house.base_url, "TT1-GUESS"), AWAY, "try again in", tmp_path)
