"""A session with RabbitMQ's management API, at the address of ``RABBITMQ_MANAGEMENT_URL``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp

from server.bus.tls import describe_refusal, make_context
from shared.settings import Secret

SETTING = "RABBITMQ_MANAGEMENT_URL"


@asynccontextmanager
async def open_management(api_url: Secret, within_s: float) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session whose paths begin at ``/api/``; certificates are named in the address as for the broker itself.

    Raises:
        SettingsInvalid: a certificate cannot be read.
    """
    context = await asyncio.to_thread(make_context, api_url, SETTING)
    parts = urlsplit(api_url.value)
    address = parts._replace(path=parts.path.rstrip("/").removesuffix("/api"), query="").geturl()
    connector = aiohttp.TCPConnector(ssl=context if context is not None else True)
    timeout = aiohttp.ClientTimeout(total=within_s)
    async with aiohttp.ClientSession(address, timeout=timeout, connector=connector) as session:
        yield session


def explain(problem: BaseException) -> str:
    """Return in a few words why the API does not answer."""
    return describe_refusal(problem) or type(problem).__name__
