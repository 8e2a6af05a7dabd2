"""Whatever a server is given that it cannot use, it says so in one line, ends, and touches no data."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from server.embedded_stack import embedded_cluster
from tests.acceptance.house import fresh_place
from tests.acceptance.programs import call, server_command
from tests.acceptance.refusals import AWAY, UNTRUSTED, Wrong, check_refused, contents

DSN = "postgresql://tt_app:x@127.0.0.1:9/tickettoken"
NEWER_SCHEMA = "INSERT INTO schema_migrations (version, name, checksum) VALUES (9999, 'pre_tomorrow', $1)"
COMPLETE = {
    "DATABASE_URL": DSN,
    "WORKER_DATABASE_URL": DSN,
    "JWT_SECRET": "0123456789abcdef" * 4,
    "QR_ENCRYPTION_KEY": base64.b64encode(hashlib.sha256(b"tests").digest()).decode(),
}

WRONG = {
    "no command": Wrong(arguments="", says="COMMAND"),
    "no such command": Wrong(arguments="server", says="'server'"),
    "no such option": Wrong(arguments="serve --fast", says="--fast"),
    "a port beyond the last": Wrong(arguments="serve --port 65536", says="--port: a port is a number from 0 to 65535"),
    "a port in words": Wrong(arguments="serve --port http", says="--port: a port is a number from 0 to 65535"),
    "a port in the environment": Wrong(arguments="serve --embedded", environ={"PORT": "many"}, says="PORT"),
    "payments nobody offers": Wrong(
        arguments="serve --embedded", environ={"PAYMENTS": "cash"}, says="PAYMENTS: give one of none, facts, demo"
    ),
    "a log level nobody knows": Wrong(
        arguments="serve --embedded", environ={"LOG_LEVEL": "loud"}, says="LOG_LEVEL: give one of"
    ),
    "no settings": Wrong(arguments="serve", says="DATABASE_URL is not set"),
    "a secret file that is not there": Wrong(
        arguments="serve --embedded",
        environ={"JWT_SECRET_FILE": "/nowhere/secret"},
        says="JWT_SECRET: cannot read the file",
    ),
    "a guessable secret": Wrong(
        arguments="serve --embedded", environ={"JWT_SECRET": "a" * 64}, says="openssl rand -hex 32"
    ),
    "a key of another length": Wrong(
        arguments="serve --embedded", environ={"QR_ENCRYPTION_KEY": "abc"}, says="QR_ENCRYPTION_KEY"
    ),
    "a guessable key": Wrong(
        arguments="serve",
        environ=COMPLETE | {"QR_ENCRYPTION_KEY": "0123456789abcdef" * 4},
        says="guessable; make one with `openssl rand -base64 32`",
    ),
    "a guessable key behind a good one": Wrong(
        arguments="keys status",
        environ=COMPLETE | {"QR_ENCRYPTION_KEY": f"k2={COMPLETE['QR_ENCRYPTION_KEY']},k1={'ab' * 32}"},
        says="QR_ENCRYPTION_KEY: this key is guessable",
    ),
    "a key that is half a key": Wrong(
        arguments="serve --embedded",
        environ={"QR_ENCRYPTION_KEY": hashlib.sha256(b"half").hexdigest()[:32]},
        says="32 hexadecimal digits are 16 bytes",
    ),
    "two keys of one name": Wrong(
        arguments="serve --embedded",
        environ={"QR_ENCRYPTION_KEY": ",".join(hashlib.sha256(word).hexdigest() for word in (b"one", b"two"))},
        says="give each key an id of its own",
    ),
    "a key given twice": Wrong(
        arguments="serve --embedded",
        environ={"QR_ENCRYPTION_KEY": "x", "QR_ENCRYPTION_KEY_FILE": "/nowhere/key"},
        says="QR_ENCRYPTION_KEY_FILE is set as well: keep one of the two",
    ),
    "no database to migrate": Wrong(arguments="migrate", says="OWNER_DATABASE_URL is not set"),
    "a database that is away": Wrong(
        arguments="migrate", environ={"OWNER_DATABASE_URL": DSN}, status=AWAY, says="database"
    ),
    "a database that is away while serving": Wrong(arguments="serve", environ=COMPLETE, status=AWAY, says="database"),
    "an address of no database": Wrong(
        arguments="migrate",
        environ={"OWNER_DATABASE_URL": "tomorrow"},
        status=AWAY,
        says="check that it runs and its URL",
    ),
    "no such phase": Wrong(arguments="migrate --phase later", says="--phase: invalid choice: 'later'"),
    "no such role": Wrong(arguments="token --role king", says="--role: invalid choice: 'king'"),
    "a tenant that is no id": Wrong(arguments="token --embedded --tenant me", says="--tenant is not an id"),
    "hours in words": Wrong(arguments="token --hours few", says="--hours"),
    "no hours": Wrong(arguments="token --embedded --hours 0", says="--hours is a number from 1 to 8760"),
    "no secret for a token": Wrong(arguments="token", says="JWT_SECRET is not set"),
    "too small a house": Wrong(arguments="demo --tickets 99", says="--tickets: give a number from 100 to 200000"),
    "too large a house": Wrong(arguments="demo --tickets 200001", says="--tickets: give a number from 100 to 200000"),
    "a house in words": Wrong(arguments="demo --tickets all", says="--tickets: give a number from 100 to 200000"),
    "nothing to be tried again": Wrong(arguments="nft replay", says="name the tickets to try again, or say --all"),
    "tickets and all of them": Wrong(
        arguments="nft replay --all 11111111-1111-4111-8111-111111111111",
        says="name the tickets to try again, or say --all",
    ),
    "a ticket that is no id": Wrong(arguments="nft replay first", says="ID"),
    "a tree for nobody": Wrong(arguments="nft trees --make", says="say with --tenant whose tree it is to be"),
    "assets of no event": Wrong(arguments="nft mint", says="--event"),
    "no tickets to estimate": Wrong(arguments="nft estimate --tickets 0", says="Estimates are for 1 to 2000000"),
    "an estimate in words": Wrong(arguments="nft estimate --tickets many", says="--tickets"),
    "a chain without keys": Wrong(
        arguments="serve --embedded",
        environ={"SOLANA_RPC_URLS": "http://127.0.0.1:9/"},
        says="SOLANA_PAYER_KEY is not set; SOLANA_MINTER_KEY is not set",
    ),
    "a data directory that is a file": Wrong(arguments="serve --embedded --data {place}/file", says="name another"),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a directory with a file in it."""
    (tmp_path / "file").write_text("mine")
    return tmp_path


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_unusable_input_is_one_clear_line(place: Path, wrong: Wrong) -> None:
    command = wrong.command(place=place)
    if "--embedded" in command and "--data" not in command:
        command += ["--data", str(place / "data")]
    said = call(server_command(*command), wrong.environ)
    check_refused(said, wrong.status, wrong.says)
    assert said.output == ""
    assert contents(place).keys() - {"data/jwt-secret", "data/qr-encryption-key"} == {"file"}
    assert all(secret not in said.errors for secret in wrong.environ.values() if len(secret) > 40)


def test_busy_port_is_told_before_a_database_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = call(server_command("serve", "--embedded", "--data", str(tmp_path / "data"), "--port", port))
    check_refused(said, 1, f"port {port} on 127.0.0.1 is in use")
    assert "--port" in said.error
    assert not (tmp_path / "data").exists()


@pytest.fixture(scope="module")
def served_before() -> Iterator[Path]:
    """Give a data directory whose database was made by an earlier run."""
    with fresh_place() as place:
        asyncio.run(run_once(place / "data"))
        yield place / "data"


async def run_once(data: Path, statement: str = "SELECT $1::bytea") -> None:
    """Run a data directory's database for a moment and execute a statement with some random bytes as its owner."""
    async with embedded_cluster(data, unsafe_fast=True) as cluster:
        owner = await asyncpg.connect(cluster.cluster.owner_dsn)
        await owner.execute(statement, os.urandom(32))
        await owner.close()


def check_data_refused(data: Path, words: str) -> None:
    """Every command that would open these data refuses them with the status of untrusted data."""
    for command in ("serve --port 0", "seed"):
        said = call(server_command(*command.split(), "--embedded", "--data", str(data)))
        check_refused(said, UNTRUSTED, words)


@contextmanager
def changed(file: Path, content: bytes | None) -> Iterator[None]:
    """Put something else into a file, or take it away, for a while."""
    kept = file.read_bytes()
    file.unlink() if content is None else file.write_bytes(content)
    try:
        yield
    finally:
        file.write_bytes(kept)


def test_database_of_a_newer_postgresql_is_left_alone(served_before: Path) -> None:
    with changed(served_before / "pg" / "PG_VERSION", b"99\n"):
        before = snapshot_of(served_before)
        check_data_refused(served_before, "install PostgreSQL 99")
        assert snapshot_of(served_before) == before


def test_cluster_without_its_version_is_damaged_and_left_alone(served_before: Path) -> None:
    with changed(served_before / "pg" / "PG_VERSION", None):
        before = snapshot_of(served_before)
        check_data_refused(served_before, "restore it from a backup")
        assert snapshot_of(served_before) == before


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("superuser-password.json", "restore it from a backup"),
        ("role-passwords.json", "delete it, fresh passwords are made"),
        ("qr-encryption-key", "restore it from a backup"),
        ("jwt-secret", "restore it from a backup"),
    ],
)
def test_damaged_secret_is_told_by_its_files_name_and_left_as_it_is(served_before: Path, name: str, words: str) -> None:
    with changed(served_before / name, b"?"):
        said = call(server_command("seed", "--embedded", "--data", str(served_before)))
        check_refused(said, UNTRUSTED, words)
        assert str(served_before / name) in said.error
        assert (served_before / name).read_bytes() == b"?"


def test_data_are_as_good_as_before_after_all_that(served_before: Path) -> None:
    said = call(server_command("seed", "--embedded", "--data", str(served_before), "--json"))
    assert said.status == 0, said.errors
    assert json.loads(said.output)["main"]["types"][0]["places"] == 3800


def test_schema_of_a_newer_version_is_left_to_that_version(served_before: Path) -> None:
    asyncio.run(run_once(served_before, NEWER_SCHEMA))
    check_data_refused(served_before, "install the newer program")


def snapshot_of(data: Path) -> dict[str, bytes]:
    """Return the files of a data directory but the log that says what was refused, and the owner's note."""
    return {name: body for name, body in contents(data).items() if not name.endswith((".log", "owner.lock"))}
