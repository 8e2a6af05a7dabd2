"""Fixtures of the real services: an address from the environment, else a private server started for the first test that asks.

A conftest.py takes what it needs: ``from tests.services.plugin import redis_url``.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import pytest
from msgspec import Struct

from tests.services.messages import Request, Running
from tests.services.private import PrivateService
from tests.services.processes import ServiceUnavailable

# What an account may touch: our names, and never the default exchange, through which any queue could be written.
PERMITTED = r"^(ticket\.|tickettoken_events).*"

_STARTED = pytest.StashKey[dict[str, Running]]()


class Broker(Struct, frozen=True, kw_only=True):
    """A RabbitMQ as its administrator reaches it."""

    amqp_url: str
    api_url: str
    """Without a path; the account is part of it."""


class VirtualHost(Struct, frozen=True, kw_only=True):
    """One test's own space in the broker, with an account that may do no more than the program needs."""

    name: str
    url: str
    """For the program under test."""
    admin_url: str
    """For the test, to look at everything."""
    api_url: str


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> str:
    """Give the address of this run's Redis; tests share it and keep apart by a prefix of their own."""
    given = os.environ.get("REDIS_URL")
    return given or _private(request.config, "valkey").url


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest) -> Broker:
    """Give this run's RabbitMQ."""
    amqp, api = os.environ.get("AMQP_URL"), os.environ.get("RABBITMQ_API_URL")
    if amqp and api:
        return Broker(amqp_url=amqp, api_url=api.removesuffix("/").removesuffix("/api"))
    if amqp or api:
        pytest.exit("the tests need both AMQP_URL and RABBITMQ_API_URL, or neither: set the other one", returncode=3)
    running = _private(request.config, "rabbitmq")
    return Broker(amqp_url=running.url, api_url=running.api_url)


@pytest.fixture
async def vhost(broker: Broker) -> AsyncIterator[VirtualHost]:
    """Give this test a virtual host of its own; it goes afterwards, with queues, messages and connections."""
    async with open_vhost(broker) as opened:
        yield opened


@asynccontextmanager
async def open_vhost(broker: Broker) -> AsyncIterator[VirtualHost]:
    """Make a virtual host for the length of a block."""
    name, password = f"tt-{secrets.token_hex(6)}", secrets.token_hex(12)
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    admin = urlsplit(broker.amqp_url)
    async with aiohttp.ClientSession(broker.api_url) as api:
        await _put(api, f"/api/vhosts/{name}", {})
        await _put(api, f"/api/users/{name}", {"password": password, "tags": ""})
        await _put(api, f"/api/permissions/{name}/{name}", dict.fromkeys(everything, PERMITTED))
        await _put(api, f"/api/permissions/{name}/{admin.username}", everything)
        address = f"{admin.hostname}:{admin.port or 5672}"
        yield VirtualHost(
            name=name,
            url=urlunsplit(admin._replace(netloc=f"{name}:{password}@{address}", path=f"/{name}")),
            admin_url=urlunsplit(admin._replace(path=f"/{name}")),
            api_url=broker.api_url,
        )
        for path in (f"/api/vhosts/{name}", f"/api/users/{name}"):
            async with api.delete(path) as answer:
                answer.raise_for_status()


async def _put(api: aiohttp.ClientSession, path: str, body: dict[str, str]) -> None:
    async with api.put(path, json=body) as answer:
        answer.raise_for_status()


def _private(config: pytest.Config, name: str) -> Running:
    started = config.stash.setdefault(_STARTED, {})
    if name not in started:
        service = PrivateService(Request(service="valkey" if name == "valkey" else "rabbitmq"))
        try:
            started[name] = service.start()
        except ServiceUnavailable as problem:
            pytest.exit(f"the tests need {name}: {problem}", returncode=3)
        config.add_cleanup(service.stop)
    return started[name]
