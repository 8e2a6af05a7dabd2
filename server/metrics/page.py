"""The page Prometheus reads, on a port of its own: it is no part of the API, so no proxy in front of that can show it."""

from __future__ import annotations

import asyncio
import hmac
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import hdrs, web
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from server.metrics.meters import Meters
from server.metrics.sampling import Sampler
from shared.settings import Secret


class MetricsPage:
    """Answers GET /metrics, to whoever has the token if there is one."""

    def __init__(self, meters: Meters, samplers: Sequence[Sampler], token: Secret | None) -> None:
        self._meters = meters
        self._samplers = samplers
        self._expected = None if token is None else f"Bearer {token.value}".encode()

    async def show(self, request: web.Request) -> web.Response:
        """Bring the meters up to date and tell them."""
        if not self._may_read(request):
            return web.Response(status=401, text="A token is needed.\n", headers={hdrs.WWW_AUTHENTICATE: "Bearer"})
        for sample in self._samplers:
            await sample(self._meters)
        text = await asyncio.to_thread(self._meters.write)
        headers = {hdrs.CONTENT_TYPE: CONTENT_TYPE_PLAIN_0_0_4, hdrs.CACHE_CONTROL: "no-store"}
        return web.Response(body=text, headers=headers)

    def _may_read(self, request: web.Request) -> bool:
        if self._expected is None:
            return True
        given = request.headers.get(hdrs.AUTHORIZATION, "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, self._expected)


@asynccontextmanager
async def serve_metrics(page: MetricsPage, listener: socket.socket) -> AsyncIterator[str]:
    """Serve the page on a bound socket for the length of a block; yield where it is."""
    app = web.Application(client_max_size=0)
    app.router.add_get("/metrics", page.show)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        host, port = listener.getsockname()[:2]
        yield f"http://{host}:{port}/metrics"
    finally:
        await runner.cleanup()
