"""What the operations page is made with: the use cases' means, and what the other parts of the server lend it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from msgspec import Struct

from server.services.context import Context
from server.services.live import LiveDesk, Watch
from server.services.sign_in import SigningIn
from shared.problems import TicketTokenError

StillGood = Callable[[], Awaitable[bool]]
Stream = Callable[[web.Request, Watch, StillGood | None], Awaitable[web.StreamResponse]]


class Means(Struct, frozen=True, kw_only=True):
    """``status_of`` says which HTTP status a problem has, ``stream`` sends figures, ``address_of`` tells where a request is from.

    ``public_url`` is where people reach the server; None: where their browser says.
    """

    context: Context
    signing_in: SigningIn
    live: LiveDesk
    status_of: Callable[[TicketTokenError], int]
    stream: Stream
    address_of: Callable[[web.Request], str]
    public_url: str | None
