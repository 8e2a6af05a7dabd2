"""The settings of those who look after a server: where its metrics are, how it takes its leave, how long it remembers people."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated

from msgspec import Meta, Struct

from shared.problems import SettingsInvalid
from shared.settings import Secret

SHORTEST_METRICS_TOKEN = 32

PortOrNone = Annotated[int, Meta(ge=0, le=65535)] | None
KeptDays = Annotated[int, Meta(ge=1, le=3650)] | None
DrainSeconds = Annotated[float, Meta(ge=0, le=300)]


class MonitoringSettings(Struct, frozen=True, kw_only=True):
    """Each field is an environment variable in capitals; all have defaults.

    With ``metrics_port`` metrics are served there, under `/metrics`, on ``metrics_host``. Whoever asks shows ``metrics_token``;
    only on a loopback address may there be none. Told to stop, a server says for ``drain_seconds`` that it is not ready while
    it still answers everything, so that whoever sends it requests has time to notice. Names and addresses of people are erased
    ``personal_data_days`` after an event's end; unset: they are kept.
    """

    metrics_host: str = "127.0.0.1"
    metrics_port: PortOrNone = None
    metrics_token: Secret | None = None
    drain_seconds: DrainSeconds = 0.0
    personal_data_days: KeptDays = None


class MonitoringPlan(Struct, frozen=True, kw_only=True):
    """The same, found sound: where metrics are served, None for nowhere, and to whom."""

    host: str
    port: int
    token: Secret | None


def plan_monitoring(settings: MonitoringSettings) -> MonitoringPlan | None:
    """Return where metrics are served.

    Raises:
        SettingsInvalid: anybody could read them, or the token could be guessed.
    """
    token = settings.metrics_token
    if token is not None and len(token.value) < SHORTEST_METRICS_TOKEN:
        raise SettingsInvalid(
            f"METRICS_TOKEN must have {SHORTEST_METRICS_TOKEN} characters or more (`openssl rand -hex 32` makes one)."
        )
    if settings.metrics_port is None:
        return None
    if token is None and not _is_loopback(settings.metrics_host):
        raise SettingsInvalid("METRICS_HOST is open to other machines: set METRICS_TOKEN, or listen on 127.0.0.1.")
    return MonitoringPlan(host=settings.metrics_host, port=settings.metrics_port, token=token)


def plan_keeping(settings: MonitoringSettings) -> timedelta | None:
    """Return how long after an event's end its people are known; None for ever."""
    return None if settings.personal_data_days is None else timedelta(days=settings.personal_data_days)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
