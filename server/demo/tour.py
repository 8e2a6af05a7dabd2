"""The tour's composition: a fresh directory, the embedded server, a cable, two gates, and everything gone afterwards."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from msgspec import Struct
from rich.console import Console

from server.demo.assets import settle_assets
from server.demo.box_office import BoxOffice
from server.demo.cable import laid_cable
from server.demo.chain import local_chain
from server.demo.lane import Lane
from server.demo.narrator import Narrator
from server.demo.reckoning import reckon
from server.demo.story import Stage, Told, tell
from server.demo.summary import Summary
from server.demo.venue import Show, Venue
from server.embedded.placement import remove_place
from server.embedded_stack import EmbeddedServer, embedded_server
from server.listening import bind
from server.seed import SeededEvent
from server.settings import EmbeddedSettings, Payments
from shared.clock import Clock
from shared.problems import TicketTokenError

_SERVER = "server"
_OPENING = """[bold]One evening at a venue, with real parts:[/] PostgreSQL with row-level
security, a REST API, two gate agents with databases of their own, and people
holding phones up to cameras in a video that OpenCV has to read.
[dim]Every verdict is checked against what must happen.[/]"""


class TourOptions(Struct, frozen=True, kw_only=True):
    """What the visitor asked for; ``screen`` opens the first gate's own screen on this terminal.

    With ``nft`` tickets become assets on a local chain as well.
    """

    tickets: int
    screen: bool
    keep: bool
    nft: bool = False


async def run_tour(options: TourOptions, console: Console, clock: Clock) -> Summary:
    """Play the whole evening and return its figures.

    Raises:
        TicketTokenError: a part of it could not be started or stopped answering.
    """
    async with _directory(keep=options.keep, console=console) as home:
        return await _play(options, home, console, clock)


async def _play(options: TourOptions, home: Path, console: Console, clock: Clock) -> Summary:
    narrator, began_s, told = Narrator(console), clock.monotonic(), Told(problems=[])
    narrator.title("TicketToken Gate", _OPENING)
    async with AsyncExitStack() as stack:
        server = await _open_server(options, home, stack)
        cable = await stack.enter_async_context(laid_cable(urlsplit(server.base_url).port or 0))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        venue = await _open_venue(server, BoxOffice(server.base_url, session), options.tickets)
        stage = Stage(
            venue=venue,
            cable=cable,
            north=Lane("North", home / "north", f"http://127.0.0.1:{cable.port}"),
            south=Lane("South", home / "south", f"http://127.0.0.1:{cable.port}"),
            narrator=narrator,
            clock=clock,
        )
        narrator.say(f"Server up in {clock.monotonic() - began_s:.1f} s (PostgreSQL: {server.cluster.source}).")
        minting, assets = server.running.parts.minting, None
        try:
            if minting is not None:
                await venue.wish_assets()
            await tell(stage, told, screen=options.screen)
            narrator.speak_up()
            assets = None if minting is None else await settle_assets(stage, told, minting)
        except TicketTokenError as problem:
            told.problems.append(str(problem))
        narrator.speak_up()
        return await reckon(stage, told, clock.monotonic() - began_s, assets)


async def _open_server(options: TourOptions, home: Path, stack: AsyncExitStack) -> EmbeddedServer:
    """Start the server, and with ``nft`` a chain before it; the server listens where metadata's addresses say."""
    settings, listener = EmbeddedSettings(payments=Payments.DEMO), bind("127.0.0.1", 0)
    stack.callback(listener.close)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    chain = await stack.enter_async_context(local_chain(url)) if options.nft else None
    server = embedded_server(home / _SERVER, settings, chain=chain, listener=listener)
    return await stack.enter_async_context(server)


async def _open_venue(server: EmbeddedServer, office: BoxOffice, tickets: int) -> Venue:
    seeds = await server.seed(places=tickets)
    return Venue(office, server.make_token, _as_show(seeds.main), _as_show(seeds.other))


def _as_show(seeded: SeededEvent) -> Show:
    return Show(tenant=seeded.tenant, event=seeded.event, stock={kind.id: kind.places for kind in seeded.types})


@asynccontextmanager
async def _directory(*, keep: bool, console: Console) -> AsyncIterator[Path]:
    """Make a directory of our own, and take it away again unless it is to be kept."""
    home = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="tickettoken-demo-"))
    # The account that serves the database may pass, so that all of the tour lies in this one place.
    await asyncio.to_thread(home.chmod, 0o711)
    try:
        yield home
    finally:
        if keep:
            console.print(f"\n   Everything was kept in {home}", highlight=False, markup=False)
        else:
            await asyncio.to_thread(remove_place, home / _SERVER)
            await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)
