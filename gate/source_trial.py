"""Waiting for a source to read a code that somebody holds up to it, before the doors are opened."""

from __future__ import annotations

import asyncio

from gate.admit import Shown
from gate.sources import SourceChoice, SourceEvents, open_source
from shared.clock import Clock
from shared.problems import TicketTokenError, Unavailable

Ending = Shown | Exception | None


async def await_code(choice: SourceChoice, clock: Clock, within_s: float) -> Shown:
    """Return the first code a source reads.

    Raises:
        InputUnusable, Unavailable: the source cannot be opened, broke, ended, or read nothing in time.
    """
    loop = asyncio.get_running_loop()
    ending: asyncio.Future[Ending] = loop.create_future()

    def settle(found: Ending) -> None:
        if not ending.done():
            ending.set_result(found)

    def tell(found: Ending = None) -> None:
        loop.call_soon_threadsafe(settle, found)

    opened = await asyncio.to_thread(
        open_source, choice, SourceEvents(on_shown=tell, on_fault=tell, on_end=tell), clock
    )
    if opened is None:
        raise Unavailable(f"{choice.text} reads nothing: name a camera, a film or a folder.")
    opened.source.start()
    try:
        async with asyncio.timeout(within_s):
            found = await ending
    except TimeoutError as exc:
        raise Unavailable(
            f"{choice.text} read no code in {within_s:.0f} s: hold one 15 to 25 cm in front of it, bright and still, and look "
            "at the light, the focus and the lens."
        ) from exc
    finally:
        await asyncio.to_thread(opened.source.stop)
    return _require_code(found, choice.text)


def _require_code(found: Ending, source: str) -> Shown:
    if isinstance(found, Shown):
        return found
    if isinstance(found, TicketTokenError):
        raise found
    if found is not None:
        raise Unavailable(f"{source} cannot be read ({type(found).__name__}: {found}).") from found
    raise Unavailable(f"{source} ended and held no code that could be read.")
