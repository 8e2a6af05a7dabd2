"""The operations page's addresses, and what stands before each: who is it, was the form made here, may they do it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote, urlsplit

import structlog
from aiohttp import hdrs, web

from server.services.problems_staff import FormForged, SessionOver
from server.services.sign_in import Worker, tell_worker
from server.web.ops.assets import PREFIX, OpsFiles
from server.web.ops.care_pages import CarePages
from server.web.ops.conflict_pages import ConflictPages
from server.web.ops.door_pages import DoorPages
from server.web.ops.gate_pages import GatePages
from server.web.ops.means import Means
from server.web.ops.rendering import HEADERS, Renderer
from server.web.ops.ticket_pages import TicketPages
from server.web.ops.visit import Page, Visit
from server.web.ops.watch_pages import WatchPages
from shared.problems import NotFound, TicketTokenError

COOKIE = "__Host-tt_ops"
FORM_TOKEN = "form_token"  # noqa: S105 - a field's name
_FOR_GOOD = "public, max-age=31536000, immutable"
_NOT_HERE = "The operations page has nothing at this address."

_Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()


class OpsSite:
    """Everything below /ops."""

    def __init__(self, means: Means, files: OpsFiles) -> None:
        self._means = means
        self._files = files
        self._renderer = Renderer(files)
        self._door = DoorPages(means, self._renderer, COOKIE)

    def pages(self) -> list[Page]:
        """Return every address that takes somebody signed in."""
        return [
            *self._door.pages(),
            *WatchPages().pages(),
            *GatePages().pages(),
            *ConflictPages().pages(),
            *TicketPages().pages(),
            *CarePages().pages(),
        ]

    def mount(self, app: web.Application) -> None:
        """Fill a router; what is not listed does not exist."""
        for page in self.pages():
            app.router.add_route(page.method, page.path, self._guard(page))
        app.router.add_route("GET", "/ops/sign-in", self._openly(self._door.ask))
        app.router.add_route("POST", "/ops/sign-in", self._openly(self._door.sign_in))
        app.router.add_route("GET", PREFIX + "/{build}/{name}", self._openly(self._send_file))

    def _guard(self, page: Page) -> _Answer:
        async def guarded(request: web.Request) -> web.StreamResponse:
            visit: Visit | None = None
            try:
                worker = await tell_worker(self._means.context, request.cookies.get(COOKIE, ""))
                structlog.contextvars.bind_contextvars(tenant=str(worker.tenant), staff=str(worker.staff.id))
                visit = Visit(request=request, worker=worker, means=self._means, renderer=self._renderer)
                form = await self._read_form(request, worker)
                visit = Visit(request=request, worker=worker, means=self._means, renderer=self._renderer, form=form)
                if page.scope is not None:
                    visit.need(page.scope)
                return await page.handler(visit)
            except SessionOver:
                return _ask_to_sign_in(request)
            except TicketTokenError as problem:
                return self._explain(problem, visit)

        return guarded

    def _openly(self, handler: _Answer) -> _Answer:
        async def answered(request: web.Request) -> web.StreamResponse:
            try:
                if request.method == "POST":
                    self._check_origin(request)
                return await handler(request)
            except TicketTokenError as problem:
                return self._explain(problem, None)

        return answered

    async def _read_form(self, request: web.Request, worker: Worker) -> Mapping[str, str]:
        if request.method != "POST":
            return {}
        self._check_origin(request)
        posted = await request.post()
        form = {name: value for name, value in posted.items() if isinstance(value, str)}
        if not worker.token.fits(form.get(FORM_TOKEN, "")):
            raise FormForged(
                "This form is not from a page of your present session: go back, load the page again, and repeat."
            )
        return form

    def _check_origin(self, request: web.Request) -> None:
        """Return if a form was sent from a page of ours; browsers say where from (Fetch standard, 3.2).

        Raises:
            FormForged: another site sent it.
        """
        origin = request.headers.get(hdrs.ORIGIN)
        fetched = request.headers.get("Sec-Fetch-Site", "same-origin")
        ours = {request.host} | ({urlsplit(self._means.public_url).netloc} if self._means.public_url else set())
        if fetched not in {"same-origin", "none"} or (origin is not None and urlsplit(origin).netloc not in ours):
            raise FormForged("This form was sent from another site: nothing was done.")

    def _explain(self, problem: TicketTokenError, visit: Visit | None) -> web.Response:
        status = self._means.status_of(problem)
        if status >= 500:
            log.error("ops.failed", code=problem.code, problem=str(problem))
        told = (
            str(problem)
            if status < 500
            else "The server cannot do this now. Try again in a moment; its log knows more."
        )
        if visit is not None:
            return visit.show("problem.html", status=status, told=told, code=problem.code)
        return self._renderer.render("problem_open.html", {"told": told, "code": problem.code}, status)

    async def _send_file(self, request: web.Request) -> web.Response:
        found = self._files.files.get(request.match_info["name"])
        if found is None or request.match_info["build"] != self._files.build:
            raise NotFound(_NOT_HERE)
        headers = HEADERS | {
            hdrs.CACHE_CONTROL: _FOR_GOOD,
            hdrs.VARY: "Accept-Encoding",
            hdrs.CONTENT_TYPE: found.content_type,
        }
        if "gzip" not in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            return web.Response(body=found.body, headers=headers)
        return web.Response(body=found.packed, headers=headers | {hdrs.CONTENT_ENCODING: "gzip"})


def _ask_to_sign_in(request: web.Request) -> web.Response:
    """Lead to the sign-in, and from there back; what was in a form is not done, and has to be done again."""
    if request.headers.get(hdrs.ACCEPT, "").startswith("text/event-stream"):
        return web.Response(status=401, headers=HEADERS)
    back = request.path if request.method == "GET" else "/ops"
    place = f"/ops/sign-in?next={quote(back, safe='')}"
    response = web.Response(status=303, headers=HEADERS | {hdrs.LOCATION: place, hdrs.CACHE_CONTROL: "no-store"})
    response.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Strict")
    return response
