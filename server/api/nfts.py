"""Tickets' assets on chain, over HTTP: how far an event's are, and what their addresses show to everybody."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web
from msgspec.structs import replace

from server.api.exchange import read_body, read_id, reply
from server.api.routes import USER, Auth, Route
from server.domain.access import Scope
from server.domain.limits import LimitClass
from server.domain.nft_token import read_token, write_token
from server.services import nft_care, nft_pages, nft_views
from server.services.context import Context
from server.services.ports_nft import CareDatabase
from server.services.problems import EventUnknown
from server.services.problems_nft import AssetUnknown
from shared.ids import EventId

# Wallets and their indexers ask often, and for a while may go on showing what was.
_PUBLIC = {"Cache-Control": "public, max-age=300"}
_PICTURE = {**_PUBLIC, "Content-Security-Policy": "default-src 'none'"}


class NftApi:
    """What organisers and wallets ask about assets."""

    def __init__(self, context: Context, database: CareDatabase, public_url: str | None) -> None:
        self._context = context
        self._database = database
        self._public_url = public_url

    def routes(self) -> list[Route]:
        """Return the addresses."""
        metadata = Route(
            method="GET",
            path="/m/{token}",
            handler=self.read_metadata,
            auth=Auth.PUBLIC,
            limit=LimitClass.LINK,
            summary="An asset's metadata, at the address it bears on chain",
            answer=nft_pages.Metadata,
            raises=(AssetUnknown,),
        )
        return [
            Route(
                method="GET",
                path="/api/v1/events/{event}/nfts",
                handler=self.read_event,
                auth=Auth.USER,
                scope=Scope.TICKETS_READ,
                summary="How far an event's assets on chain are",
                answer=nft_views.EventNfts,
                raises=(EventUnknown,),
            ),
            *self._care(),
            metadata,
            replace(
                metadata,
                path="/m/{token}/image.svg",
                handler=self.read_picture,
                summary="An asset's picture",
                answer=bytes,
                media=("image/svg+xml",),
            ),
        ]

    def _care(self) -> list[Route]:
        path = "/api/v1/events/{event}/nfts"
        return [
            Route(
                method="GET",
                path=path + "/given-up",
                handler=self.list_given_up,
                auth=Auth.USER,
                scope=Scope.EVENTS_MANAGE,
                summary="An event's assets that nothing more is tried for",
                answer=nft_care.GivenUpList,
                raises=(EventUnknown,),
            ),
            Route(
                method="POST",
                path=path + "/retry",
                handler=self.retry,
                auth=Auth.USER,
                scope=Scope.EVENTS_MANAGE,
                summary="Try assets again that were given up",
                body=nft_care.RetryRequest,
                answer=nft_care.Retried,
                raises=(EventUnknown,),
            ),
        ]

    async def read_event(self, request: web.Request) -> web.Response:
        """Answer with how many of an event's assets are in which state."""
        event = EventId(read_id(request, "event"))
        return reply(await nft_views.read_event_nfts(self._context, request[USER], event))

    async def list_given_up(self, request: web.Request) -> web.Response:
        """Answer with what was given up of an event."""
        event = EventId(read_id(request, "event"))
        return reply(await nft_care.list_given_up(self._context, self._database, request[USER], event))

    async def retry(self, request: web.Request) -> web.Response:
        """Try again what was given up of an event."""
        event, body = EventId(read_id(request, "event")), await read_body(request, nft_care.RetryRequest)
        return reply(await nft_care.retry(self._context, self._database, request[USER], event, body))

    async def read_metadata(self, request: web.Request) -> web.Response:
        """Answer with an asset's metadata."""
        token = _token(request)
        base = self._public_url or str(request.url.origin())
        found = await nft_pages.read_metadata(self._database, token, f"{base}/m/{write_token(token)}/image.svg")
        return reply(found, headers=_PUBLIC)

    async def read_picture(self, request: web.Request) -> web.Response:
        """Answer with an asset's picture."""
        drawn = await nft_pages.draw_picture(self._database, _token(request))
        return web.Response(body=drawn.encode(), content_type="image/svg+xml", headers=_PICTURE)


def _token(request: web.Request) -> UUID:
    text = request.match_info["token"]
    token = read_token(text)
    if token is None:
        raise AssetUnknown("There is no asset at this address.")
    return token
