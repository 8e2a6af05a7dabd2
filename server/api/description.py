"""The interface describing itself: the document for programs and the page for people, made once at the first question."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence

import msgspec
from aiohttp import web
from msgspec import Struct

from server.api.docs_page import write_page
from server.api.openapi import describe_server
from server.api.routes import Also, Auth, Handler, Route
from shared.problems import Internal

_ASK_FIRST = "no-cache"


class IfNoneMatch(Struct, frozen=True, kw_only=True, rename={"known": "If-None-Match"}):
    """What the caller has already."""

    known: str | None = None


class _Made(Struct, frozen=True, kw_only=True):
    """The finished bytes, each with its entity tag."""

    document: bytes
    document_tag: str
    page: bytes
    page_tag: str
    policy: str


class DescriptionApi:
    """What anybody may read."""

    def __init__(self) -> None:
        self._routes: Sequence[Route] = ()
        self._made: _Made | None = None
        self._making = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            _open("/openapi.json", self.send_document, "This description, for programs", ("application/json",)),
            _open("/docs", self.send_page, "This description, for people", ("text/html",)),
        ]

    def describe(self, routes: Sequence[Route]) -> list[Route]:
        """Take the whole table, which is what the description is of, and return it."""
        self._routes = tuple(routes)
        return list(routes)

    async def send_document(self, request: web.Request) -> web.Response:
        """Answer with the OpenAPI document."""
        made = await self._make()
        return _send(request, made.document, made.document_tag, {"Content-Type": "application/json"})

    async def send_page(self, request: web.Request) -> web.Response:
        """Answer with a page that needs no script."""
        made = await self._make()
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": made.policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        return _send(request, made.page, made.page_tag, headers)

    async def _make(self) -> _Made:
        if not self._routes:
            raise Internal("The description was never told of the route table.")
        async with self._making:
            if self._made is None:
                self._made = await asyncio.to_thread(_write, self._routes)
            return self._made


def _write(routes: Sequence[Route]) -> _Made:
    described = describe_server(routes)
    document = msgspec.json.encode(described)
    page, policy = write_page(described)
    return _Made(document=document, document_tag=_tag(document), page=page, page_tag=_tag(page), policy=policy)


def _tag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]


def _send(request: web.Request, body: bytes, tag: str, headers: dict[str, str]) -> web.Response:
    shared = headers | {"ETag": f'"{tag}"', "Cache-Control": _ASK_FIRST}
    if any(known.value in {tag, "*"} for known in request.if_none_match or ()):
        return web.Response(status=304, headers=shared)
    return web.Response(body=body, headers=shared)


def _open(path: str, handler: Handler, summary: str, media: tuple[str, ...]) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        auth=Auth.PUBLIC,
        summary=summary,
        answer=bytes,
        media=media,
        headers=IfNoneMatch,
        also=(Also(status=304),),
    )
