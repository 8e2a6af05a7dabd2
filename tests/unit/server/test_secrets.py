"""The secrets of an installation: strong, in every place that needs them, closed to others and never written over."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from server.cli import main
from server.cli_secrets import compose_files
from server.settings import read_settings


def password(url: str) -> str:
    return urlsplit(url).password or ""


def test_the_server_takes_the_files_as_its_settings(tmp_path: Path) -> None:
    assert main(["secrets", str(tmp_path / "new")]) == 0
    names = ("database_url", "worker_database_url", "owner_database_url", "jwt_secret", "qr_encryption_key")
    environ = {f"{name.upper()}_FILE": str(tmp_path / "new" / name) for name in names}
    settings = read_settings(environ)
    assert urlsplit(settings.database_url.value).username == "tt_app"
    assert urlsplit(settings.worker_database_url.value).username == "tt_worker"


def test_a_password_is_the_same_wherever_it_is_needed() -> None:
    files = compose_files(os.urandom)
    for role, name in (("owner", "owner_database_url"), ("app", "database_url"), ("worker", "worker_database_url")):
        assert len(password(files[name])) == 48
        assert f"ROLE tt_{role} LOGIN" in files["postgres_init.sql"]
        assert f"PASSWORD '{password(files[name])}'" in files["postgres_init.sql"]
    [account] = json.loads(files["rabbitmq_definitions.json"])["users"]
    stored = base64.b64decode(account["password_hash"])
    given = password(files["rabbitmq_url"])
    assert stored[4:] == hashlib.sha256(stored[:4] + given.encode()).digest()
    assert password(files["rabbitmq_management_url"]) == given


def test_no_two_secrets_are_the_same() -> None:
    first, second = compose_files(os.urandom), compose_files(os.urandom)
    assert all(first[name] != second[name] for name in first)
    chosen = [password(first[name]) for name in first if name.endswith("_url")]
    assert len(set(chosen)) == len(chosen) - 1  # the broker's two addresses are one account


def test_directory_is_closed_and_its_files_cannot_be_changed_by_accident(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "new"
    assert main(["secrets", str(place), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted(told["files"]) == sorted(path.name for path in place.iterdir())
    assert place.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in place.iterdir()} == {0o444}


def test_no_value_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["secrets", str(tmp_path / "new")]) == 0
    printed = "".join(capsys.readouterr())
    values = [
        (tmp_path / "new" / name).read_text() for name in ("jwt_secret", "qr_encryption_key", "postgres_password")
    ]
    assert not [value for value in values if value in printed]


def test_secrets_that_may_be_in_use_are_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["secrets", str(tmp_path / "new")]) == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()}
    assert main(["secrets", str(tmp_path / "new")]) == 1
    assert "not empty" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()} == before


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["secrets", str(tmp_path / "file")]) == 2
    assert "choose another directory" in capsys.readouterr().err
