"""What a test run and the supervisor of a service say to each other: one line of JSON each way."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Literal

from msgspec import Struct


class Request(Struct, frozen=True, kw_only=True):
    """Which service to start; a port and password only when a killed one is to come back under its old address.

    With ``client_authority`` (PEM) RabbitMQ lets nobody in over TLS who shows no certificate of that authority.
    """

    service: Literal["valkey", "rabbitmq"]
    port: int = 0
    password: str = ""
    client_authority: str = ""


class Running(Struct, frozen=True, kw_only=True, tag="running"):
    """A service that answers."""

    url: str
    source: str
    """Where its programs came from, and their version."""
    pid: int
    """The server's own process, for tests that kill or stop it."""
    port: int
    password: str
    api_url: str = ""
    """RabbitMQ's management API, with its account."""
    tls_port: int = 0
    tls_api_port: int = 0
    authority: str = ""
    """The certificate (PEM) that vouches for RabbitMQ's, whose name is `certificates.TLS_NAME`."""
    seconds: float = 0.0
    """From the request to the first answer."""


class Served(Struct, frozen=True, kw_only=True):
    """A service in its supervisor's hands; it can be ended, in order or as a power cut would, and started again with its data."""

    running: Running
    restart: Callable[[signal.Signals], Running]


class Refused(Struct, frozen=True, kw_only=True, tag="refused"):
    """Why there is none, in one sentence."""

    message: str


Answer = Running | Refused
