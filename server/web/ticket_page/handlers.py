"""The ticket page over HTTP: the same page for every link, its files, its service worker, and the one answer that differs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec
from aiohttp import hdrs, web
from msgspec import Struct

from server.domain.ticket_link import LinkInvalid
from server.services.ticket_page import TicketPage
from server.web.ticket_page.assets import LANGUAGES, PREFIX, Asset, PageAssets
from shared.problems import NotFound, TicketTokenError

SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), screen-wake-lock=(self)",
    # The link is the key to the ticket: it goes into no other site's log, and into no search engine.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
_ASK_FIRST = "no-cache"
_FOR_GOOD = "public, max-age=31536000, immutable"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class TicketPages(Protocol):
    """Whoever knows what stands behind a link."""

    async def open(self, link: str) -> TicketPage:
        """Return what the holder of a link may see.

        Raises:
            LinkInvalid: it is no link of ours, or out of date.
        """
        ...


class FileUnknown(NotFound):
    """The page has no such file, or not in this build."""

    code = "file_not_found"


class Address(Struct, frozen=True, kw_only=True):
    """One path of the page for GET; all of them are open to everybody, the link itself being the proof.

    ``answer`` is the type of what is sent as ``media``, ``raises`` are the problems it may tell of.
    """

    path: str
    handler: Handler
    summary: str
    answer: object = bytes
    media: tuple[str, ...] = ("text/html",)
    raises: tuple[type[TicketTokenError], ...] = ()


class TicketSite:
    """Answers what a phone's browser asks."""

    def __init__(self, pages: TicketPages, assets: PageAssets) -> None:
        self._pages = pages
        self._assets = assets

    def addresses(self) -> list[Address]:
        """Return every path; those without a variable part come before those that would swallow them."""
        return [
            Address(path="/t/", handler=self.shell, summary="The ticket page without a ticket, as phones keep it"),
            Address(
                path="/t/sw.js",
                handler=self.worker,
                summary="The ticket page's service worker",
                media=("text/javascript",),
            ),
            Address(path="/t/{link}", handler=self.shell, summary="The ticket page"),
            Address(
                path="/t/{link}/wallet",
                handler=self.wallet,
                summary="What the holder of a link may see",
                answer=TicketPage,
                media=("application/json",),
                raises=(LinkInvalid,),
            ),
            Address(
                path=PREFIX + "/{build}/{name}",
                handler=self.file,
                summary="A file of the ticket page",
                media=("text/css", "text/javascript", "image/svg+xml"),
                raises=(FileUnknown,),
            ),
        ]

    async def shell(self, request: web.Request) -> web.Response:
        """Answer with the page. It is the same for all links, so that nothing of a link can get into it."""
        language = choose_language(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
        response = _send(request, self._assets.shells[language], _ASK_FIRST)
        response.headers[hdrs.CONTENT_LANGUAGE] = language
        response.headers[hdrs.VARY] = "Accept-Encoding, Accept-Language"
        return response

    async def worker(self, request: web.Request) -> web.Response:
        """Answer with the service worker, which by its place may serve everything below /t/."""
        return _send(request, self._assets.worker, _ASK_FIRST)

    async def file(self, request: web.Request) -> web.Response:
        """Answer with a file of this build; a file of another build under its name would break the page.

        Raises:
            FileUnknown: another build, or no such file.
        """
        found = self._assets.files.get(request.match_info["name"])
        if found is None or request.match_info["build"] != self._assets.build:
            raise FileUnknown("The ticket page has no such file: load the page again.")
        return _send(request, found, _FOR_GOOD)

    async def wallet(self, request: web.Request) -> web.Response:
        """Answer with the ticket and what a phone needs to show its codes, never to be kept on the way."""
        page = await self._pages.open(request.match_info["link"])
        return web.Response(
            body=msgspec.json.encode(page),
            content_type="application/json",
            headers=_HEADERS | {hdrs.CACHE_CONTROL: "no-store"},
        )


def choose_language(accepted: str) -> str:
    """Return the language an Accept-Language header prefers (RFC 9110, 12.5.4) of those there are; English if none."""
    best, weight = LANGUAGES[0], 0.0
    for part in accepted.split(",")[:20]:
        tag, _, quality = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        wanted = _read_quality(quality)
        if language in LANGUAGES and wanted > weight:
            best, weight = language, wanted
    return best


def _read_quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def _send(request: web.Request, asset: Asset, caching: str) -> web.Response:
    headers = _HEADERS | {
        hdrs.CACHE_CONTROL: caching,
        hdrs.ETAG: f'"{asset.etag}"',
        hdrs.VARY: "Accept-Encoding",
    }
    known = request.if_none_match or ()
    if any(tag.value in {asset.etag, "*"} for tag in known):
        return web.Response(status=304, headers=headers)
    headers[hdrs.CONTENT_TYPE] = asset.content_type
    if "gzip" not in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        return web.Response(body=asset.body, headers=headers)
    return web.Response(body=asset.packed, headers=headers | {hdrs.CONTENT_ENCODING: "gzip"})
