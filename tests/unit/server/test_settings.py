"""The server's settings: every fault at once, no secret shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.settings import EmbeddedSettings, LogLevel, Payments, read_settings
from shared.problems import SettingsInvalid
from shared.settings import load_settings

KEY = "q8Zr1vXw4mTn7LkJ3hGf6dSa9pYo2cBe"
GOOD = {
    "DATABASE_URL": "postgresql://tt_app:pw@db/tickettoken",
    "WORKER_DATABASE_URL": "postgresql://tt_worker:pw@db/tickettoken",
    "JWT_SECRET": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-",
    "QR_ENCRYPTION_KEY": KEY,
}


def test_a_complete_environment_is_read() -> None:
    settings = read_settings(GOOD | {"PORT": "8080", "PAYMENTS": "demo", "LOG_LEVEL": "warning"})
    assert (settings.port, settings.payments, settings.log_level) == (8080, Payments.DEMO, LogLevel.WARNING)
    assert settings.database_url.value == GOOD["DATABASE_URL"]


def test_defaults_are_the_careful_ones() -> None:
    settings = read_settings(GOOD)
    assert (settings.host, settings.port, settings.payments, settings.reservation_minutes) == (
        "127.0.0.1",
        3004,
        Payments.NONE,
        10,
    )
    assert load_settings(EmbeddedSettings, {}).payments is Payments.NONE


def test_every_fault_is_named_at_once() -> None:
    environ = {"JWT_SECRET": "short", "QR_ENCRYPTION_KEY": "short", "PORT": "70000", "RESERVATION_MINUTES": "0"}
    with pytest.raises(SettingsInvalid) as caught:
        read_settings(environ)
    for name in (
        "DATABASE_URL",
        "WORKER_DATABASE_URL",
        "PORT",
        "RESERVATION_MINUTES",
        "JWT_SECRET",
        "QR_ENCRYPTION_KEY",
    ):
        assert name in str(caught.value)


@pytest.mark.parametrize("secret", ["x" * 63, "x" * 64, "0123456789" * 7])
def test_weak_token_secrets_are_refused(secret: str) -> None:
    with pytest.raises(SettingsInvalid, match="JWT_SECRET") as caught:
        read_settings(GOOD | {"JWT_SECRET": secret})
    assert secret not in str(caught.value)


def test_secrets_come_from_files_too(tmp_path: Path) -> None:
    (tmp_path / "jwt").write_text(GOOD["JWT_SECRET"] + "\n")
    environ = {name: value for name, value in GOOD.items() if name != "JWT_SECRET"}
    settings = read_settings(environ | {"JWT_SECRET_FILE": str(tmp_path / "jwt")})
    assert settings.jwt_secret is not None
    assert settings.jwt_secret.value == GOOD["JWT_SECRET"]


def test_a_file_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    environ = {name: value for name, value in GOOD.items() if name != "JWT_SECRET"}
    with pytest.raises(SettingsInvalid, match="JWT_SECRET") as caught:
        read_settings(environ | {"JWT_SECRET_FILE": str(tmp_path / "absent")})
    assert str(caught.value).count("cannot read") == 1


def test_nothing_secret_shows_when_settings_are_printed() -> None:
    printed = repr(read_settings(GOOD))
    assert all(value not in printed for value in GOOD.values())
