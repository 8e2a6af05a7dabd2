"""The settings of those who watch a server and restart it: where its metrics are, and how it takes its leave."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from msgspec import Meta, Struct

from shared.problems import SettingsInvalid
from shared.settings import Secret

SHORTEST_METRICS_TOKEN = 32

PortOrNone = Annotated[int, Meta(ge=0, le=65535)] | None
DrainSeconds = Annotated[float, Meta(ge=0, le=300)]


class MonitoringSettings(Struct, frozen=True, kw_only=True):
    """Each field is an environment variable in capitals; all have defaults.

    With ``metrics_port`` metrics are served there, under `/metrics`, on ``metrics_host``. Whoever asks shows ``metrics_token``;
    only on a loopback address may there be none. Told to stop, a server says for ``drain_seconds`` that it is not ready while
    it still answers everything, so that whoever sends it requests has time to notice.
    """

    metrics_host: str = "127.0.0.1"
    metrics_port: PortOrNone = None
    metrics_token: Secret | None = None
    drain_seconds: DrainSeconds = 0.0


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


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
