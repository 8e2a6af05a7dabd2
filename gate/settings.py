"""The gate's settings: read once from the environment, with defaults that fit a lane computer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct

from shared.settings import Secret, load_settings

PREFIX = "TICKETTOKEN_GATE_"


class GateSettings(Struct, frozen=True, kw_only=True):
    """``TICKETTOKEN_GATE_…`` variables.

    ``data`` is the data directory; ``log_level`` says how much goes to stderr; ``allow_http`` lets the gate talk to a
    server that is not this machine without TLS, which is for closed test networks only. ``passphrase`` seals the gate's
    keys at enrolment and opens them afterwards.
    """

    data: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    allow_http: bool = False
    passphrase: Secret | None = None


def read_settings(environ: Mapping[str, str]) -> GateSettings:
    """Return the settings.

    Raises:
        SettingsInvalid: naming every malformed variable at once.
    """
    return load_settings(GateSettings, environ, prefix=PREFIX)


def find_data_directory(given: Path | None, settings: GateSettings, home: Path) -> Path:
    """Return the data directory: the one given, the environment's, or the user's own."""
    return given or settings.data or home / ".local" / "share" / "tickettoken-gate"
