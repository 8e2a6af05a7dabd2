"""A ticket server for browsers: the page's real handlers over HTTP, in front of tickets made up for a test."""

from __future__ import annotations

import asyncio
import base64
import gzip
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from aiohttp import web
from msgspec import Struct, structs

from server.api.middleware import trace_requests
from server.domain.ticket_link import LinkInvalid
from server.services.show_code import Wallet, WalletCapsule
from server.services.ticket_page import Standing, TicketPage, TicketShown
from server.web.ticket_page.assets import Asset, PageAssets, load_assets
from server.web.ticket_page.handlers import TicketSite
from shared.clock import ManualClock
from shared.codes.keys import derive_seed
from shared.codes.reader import CodeReader
from shared.tickets.lifecycle import State
from tests.unit.shared.samples import DOORS, EVENT, MASTER, T0, TICKET, Order, epoch_key, issue

LINK = "made-up-link"
DAY = timedelta(hours=24)
EPOCHS = 2
SLOT = timedelta(seconds=15)
REFRESH = timedelta(minutes=5)

NUMBER = "K7QW-3M2X"


def encode(data: bytes) -> str:
    """Return Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def show_ticket(**changes: Any) -> TicketShown:
    """Return a ticket for the north stand, unless told otherwise."""
    fields: dict[str, Any] = {
        "ticket_id": TICKET,
        "number": NUMBER,
        "status": State.ACTIVE,
        "event_name": "Harbour Nights Opening",
        "ticket_type_name": "Balcony",
        "holder_name": "Zoë Müller",
        "seat": "Row F, 12",
        "doors_at": DOORS,
        "starts_at": DOORS + timedelta(hours=2),
        "ends_at": DOORS + timedelta(hours=5),
    }
    return TicketShown(**(fields | changes))


def fill_wallet(clock: ManualClock, **changes: Any) -> Wallet:
    """Return the wallet of the sample ticket for two days."""
    capsules = []
    for epoch in range(EPOCHS):
        phone = issue(epoch=epoch, starts=T0 + DAY * epoch)
        capsules.append(
            WalletCapsule(
                epoch=epoch,
                starts=T0 + DAY * epoch,
                ends=T0 + DAY * (epoch + 1),
                capsule=encode(phone.capsule),
                context=encode(phone.context),
            )
        )
    fields: dict[str, Any] = {
        "ticket_id": TICKET,
        "event_id": EVENT,
        "seed": encode(derive_seed(MASTER, TICKET, 1)),
        "slot_seconds": 15,
        "server_time": clock.now(),
        "reveal_at": T0,
        "refresh_after": clock.now() + REFRESH,
        "capsules": capsules,
    }
    return Wallet(**(fields | changes))


def make_reader() -> CodeReader:
    """Return a reader that holds both days' keys, as a gate does."""
    return CodeReader([epoch_key(Order(epoch=epoch, starts=T0 + DAY * epoch)) for epoch in range(EPOCHS)])


class MadeUpPages:
    """Knows one link, and says of it what the test wants."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.page = TicketPage(
            standing=Standing.READY, server_time=clock.now(), ticket=show_ticket(), wallet=fill_wallet(clock)
        )
        self.known = True
        self.asked = 0
        self._heard = asyncio.Condition()
        self._answering = asyncio.Event()
        self._answering.set()

    async def open(self, link: str) -> TicketPage:
        """Return the page with the clock's time in it."""
        async with self._heard:
            self.asked += 1
            self._heard.notify_all()
        answer = self._answer(link)
        await self._answering.wait()
        return answer

    def hold(self) -> None:
        """Have answers stay on their way from now on, as they were when they were asked for."""
        self._answering.clear()

    def release(self) -> None:
        """Let every answer arrive."""
        self._answering.set()

    def _answer(self, link: str) -> TicketPage:
        if link != LINK or not self.known:
            raise LinkInvalid("This is no ticket's link.")
        now = self.clock.now()
        ready = self.page.wallet
        wallet = ready and structs.replace(
            ready, server_time=now, refresh_after=now + (ready.refresh_after - ready.server_time)
        )
        return structs.replace(self.page, server_time=now, wallet=wallet)

    async def until_asked(self, times: int) -> None:
        """Return once the server was asked so often."""
        async with asyncio.timeout(20), self._heard:
            await self._heard.wait_for(lambda: self.asked >= times)

    def end(self, standing: Standing, **changes: Any) -> None:
        """Have the ticket show no code from now on."""
        ticket = None if standing is Standing.REPLACED else show_ticket(**changes)
        self.page = TicketPage(standing=standing, server_time=self.clock.now(), ticket=ticket)


class Stage(Struct, frozen=True, kw_only=True):
    """A running server: its address, and what stands behind it."""

    origin: str
    assets: PageAssets
    pages: MadeUpPages
    clock: ManualClock
    stop: Callable[[], Awaitable[None]]

    @property
    def port(self) -> int:
        """Return where it listens."""
        return int(self.origin.rpartition(":")[2])

    @property
    def link(self) -> str:
        """Return the address of the ticket's page."""
        return f"{self.origin}/t/{LINK}"


def rebuild(assets: PageAssets) -> PageAssets:
    """Return the same files as another build, as after a new release."""
    build = assets.build[::-1]

    def rename(asset: Asset) -> Asset:
        body = asset.body.replace(assets.build.encode(), build.encode())
        return structs.replace(asset, body=body, packed=gzip.compress(body), etag=build)

    return PageAssets(
        build=build,
        shells={language: rename(shell) for language, shell in assets.shells.items()},
        worker=rename(assets.worker),
        files=assets.files,
    )


@asynccontextmanager
async def open_stage(clock: ManualClock, assets: PageAssets | None = None, port: int = 0) -> AsyncIterator[Stage]:
    """Serve until the context ends or ``stop`` is called; on a free port unless one is given."""
    pages = MadeUpPages(clock)
    served = assets if assets is not None else await asyncio.to_thread(load_assets)
    app = web.Application(middlewares=[trace_requests(os.urandom)])
    for one in TicketSite(pages, served).addresses():
        app.router.add_get(one.path, one.handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    with socket.create_server(("127.0.0.1", port)) as listener:
        await web.SockSite(runner, listener).start()
        host, taken = listener.getsockname()[:2]
        try:
            yield Stage(origin=f"http://{host}:{taken}", assets=served, pages=pages, clock=clock, stop=runner.cleanup)
        finally:
            await runner.cleanup()
