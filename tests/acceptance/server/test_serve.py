"""`tickettoken serve --embedded` as its users run it: a process, a directory, a port, a signal."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.acceptance.server.program import LONG_S, ROOT, Program, buy_and_show, customer_token, ready, run, served


@contextmanager
def fresh_directory() -> Iterator[Path]:
    """Give a data directory yet to be made, and take everything away afterwards."""
    parent = Path(tempfile.mkdtemp(prefix="tickettoken-test-"))
    parent.chmod(0o755)
    yield parent / "data"
    shutil.rmtree(parent)


@pytest.fixture
def data() -> Iterator[Path]:
    """Give a data directory yet to be made."""
    with fresh_directory() as path:
        yield path


@pytest.fixture(scope="module")
def seeded() -> Iterator[Path]:
    """Give a data directory with seeded events whose server is not running; tests leave it as they found it."""
    with fresh_directory() as path:
        subprocess.run(
            [sys.executable, "-m", "server", "seed", "--embedded", "--data", str(path)],
            cwd=ROOT,
            check=True,
            capture_output=True,
            timeout=LONG_S,
        )
        yield path


async def test_an_evening_on_a_fresh_machine(data: Path) -> None:
    async with served("--embedded", "--data", str(data), "--seed", PAYMENTS="demo") as program:
        assert (await ready(program.base_url))["status"] == "ok"
        for name in ("jwt-secret", "qr-encryption-key"):
            assert stat.S_IMODE((data / name).stat().st_mode) == 0o600
        token = await customer_token(data)
        ticket = await buy_and_show(program.base_url, token)
        assert await sign_in(program) == (303, "/ops")
        status, errors = await program.stop(signal.SIGTERM)
    assert status == 0, errors
    assert "Traceback" not in errors
    assert "payments.demo" in errors
    await check_second_evening(data, token, ticket)


async def sign_in(program: Program) -> tuple[int, str]:
    """Sign in to the operations page with what the program printed; return the answer's status and where it leads."""
    found = re.search(r"sign in as +(\S+)\n +password +(\S+)\n", program.said)
    assert found, program.said
    jar = aiohttp.DummyCookieJar()  # the cookies are for HTTPS alone, or for browsers on this machine
    async with aiohttp.ClientSession(program.base_url, cookie_jar=jar) as session:
        async with session.get("/ops/sign-in") as page:
            entry = re.findall(r'name="entry" value="([^"]+)"', await page.text())[0]
        form = {"entry": entry, "login": found[1], "password": found[2], "next": ""}
        headers = {"Cookie": f"__Host-tt_entry={entry}"}
        async with session.post("/ops/sign-in", data=form, headers=headers, allow_redirects=False) as answer:
            return answer.status, answer.headers["Location"]


async def check_second_evening(data: Path, token: str, ticket: str) -> None:
    """Start again: what was sold is there, and an interrupt is an orderly end as well."""
    async with served("--embedded", "--data", str(data)) as program, aiohttp.ClientSession() as session:
        path = f"{program.base_url}/api/v1/tickets/{ticket}"
        async with session.get(path, headers={"Authorization": f"Bearer {token}"}) as response:
            assert (response.status, (await response.json())["status"]) == (200, "active")
        assert (await program.stop(signal.SIGINT))[0] == 0


async def test_a_port_and_a_directory_in_use_are_one_clear_line_each(seeded: Path) -> None:
    async with served("--embedded", "--data", str(seeded)) as program:
        port = program.base_url.rpartition(":")[2]
        elsewhere = seeded.parent / "other"
        status, output, errors = await run("serve", "--embedded", "--data", str(elsewhere), "--port", port)
        assert (status, output) == (1, "")
        assert (
            errors == f"error: port {port} on 127.0.0.1 is in use: stop that program, or choose another with --port\n"
        )
        assert not elsewhere.exists()
        status, _, errors = await run("serve", "--embedded", "--data", str(seeded), "--port", "0")
        assert status == 1
        assert errors.splitlines()[-1].startswith("error: the data directory is in use by pid ")


async def test_data_of_a_newer_version_is_left_alone(seeded: Path) -> None:
    stamp = seeded / "pg" / "PG_VERSION"
    kept = stamp.read_text()
    stamp.write_text("99\n")
    status, _, errors = await run("serve", "--embedded", "--data", str(seeded), "--port", "0")
    stamp.write_text(kept)
    assert status == 4
    assert errors.splitlines()[-1].startswith("error: the data directory was made by PostgreSQL 99")


async def test_a_lost_key_is_told_before_anything_is_touched(seeded: Path) -> None:
    key = seeded / "qr-encryption-key"
    kept = key.rename(seeded / "elsewhere")
    status, _, errors = await run("serve", "--embedded", "--data", str(seeded), "--port", "0")
    made_anew = key.exists()
    kept.rename(key)
    assert status == 4
    assert "restore it from a backup" in errors
    assert not made_anew


async def test_the_doctor_finds_a_sound_installation_sound(seeded: Path) -> None:
    status, output, errors = await run("doctor", "--embedded", "--data", str(seeded), "--json")
    findings = {finding["name"]: finding for finding in json.loads(output)}
    assert status == 0, output + errors
    assert {"settings", "database", "roles", "walls", "schema", "clock", "keys", "broker", "redis"} <= set(findings)
    assert all(finding["ok"] for finding in findings.values())


async def test_the_doctor_needs_a_database_to_say_more() -> None:
    key = base64.b64encode(os.urandom(32)).decode()
    nowhere = "postgresql://tt_app:not-shown@127.0.0.1:1/tickettoken"
    status, output, errors = await run(
        "doctor",
        DATABASE_URL=nowhere,
        WORKER_DATABASE_URL=nowhere,
        JWT_SECRET=os.urandom(40).hex(),
        QR_ENCRYPTION_KEY=key,
    )
    assert (status, errors) == (1, "")
    said = [line.split()[:2] for line in output.splitlines()]
    assert said[:2] == [["ok", "settings"], ["BAD", "database"]]
    assert ["ok", "schema"] not in said
    assert "not-shown" not in output


async def test_seeding_again_prints_the_same(seeded: Path) -> None:
    first = await run("seed", "--embedded", "--data", str(seeded), "--json")
    assert first[0] == 0, first[2]
    described = json.loads(first[1])["main"]
    assert [one["places"] for one in described["types"]] == [3800, 1000, 200]
    assert first == await run("seed", "--embedded", "--data", str(seeded), "--json")


async def test_settings_faults_are_named_all_at_once_without_values() -> None:
    status, _, errors = await run("serve", JWT_SECRET="too-short-to-be-a-secret", PORT="many", PAYMENTS="cash")
    assert status == 2
    assert errors.count("\n") == 1
    for name in ("DATABASE_URL", "WORKER_DATABASE_URL", "QR_ENCRYPTION_KEY", "PORT", "PAYMENTS", "JWT_SECRET"):
        assert name in errors
    assert "too-short-to-be-a-secret" not in errors


async def test_help_is_complete_and_quick() -> None:
    for command in ((), ("serve",), ("migrate",), ("seed",), ("doctor",), ("token",)):
        status, output, errors = await run(*command, "--help")
        assert (status, errors) == (0, "")
        assert "examples:" in output
