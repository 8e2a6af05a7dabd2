"""Signing in and out, and where else one is signed in."""

from __future__ import annotations

import hmac
import secrets

from aiohttp import hdrs, web

from server.domain.staff import LONGEST
from server.services.audit import Deed, audited
from server.services.problems_gates import TooManyTries
from server.services.problems_staff import FormForged, SignInRefused
from server.services.sign_in import Attempt, end_session, list_sessions, sign_in, tell_worker
from server.web.ops.labels import SAID
from server.web.ops.means import Means
from server.web.ops.rendering import Renderer
from server.web.ops.visit import Page, Visit, own_place, see_other
from shared.ids import SessionId

ENTRY_COOKIE = "__Host-tt_entry"
_ENTRY_LIFE_S = 3600
_MOST_TYPED = 500


class DoorPages:
    """The way in and out."""

    def __init__(self, means: Means, renderer: Renderer, cookie: str) -> None:
        self._means = means
        self._renderer = renderer
        self._cookie = cookie

    def pages(self) -> list[Page]:
        """Return the addresses for somebody signed in."""
        return [
            Page(method="POST", path="/ops/sign-out", handler=self.sign_out, summary="Sign out"),
            Page(method="GET", path="/ops/sessions", handler=self.sessions, summary="Where one is signed in"),
            Page(method="POST", path="/ops/sessions/{session}/end", handler=self.end, summary="End a session"),
        ]

    async def ask(self, request: web.Request) -> web.Response:
        """Show the form."""
        return self._ask(request, SAID.get(request.query.get("said", ""), ""), 200)

    async def sign_in(self, request: web.Request) -> web.Response:
        """Let somebody in and lead to where they wanted to go."""
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        given, kept = form.get("entry", ""), request.cookies.get(ENTRY_COOKIE, "")
        if not kept or not hmac.compare_digest(given.encode(), kept.encode()):
            raise FormForged("This form is too old, or the browser keeps no cookies: load the sign-in page again.")
        attempt = Attempt(
            login=form.get("login", "")[:_MOST_TYPED],
            password=form.get("password", "")[:_MOST_TYPED],
            address=self._means.address_of(request),
            agent=_plain(request.headers.get(hdrs.USER_AGENT, "")),
        )
        try:
            cookie = await sign_in(self._means.signing_in, attempt)
        except (SignInRefused, TooManyTries) as problem:
            return self._ask(request, str(problem), self._means.status_of(problem), form.get("next", ""))
        worker = await tell_worker(self._means.context, cookie)
        async with audited(self._means.context, worker, Deed(action="sign_in")):
            response = see_other(own_place(form.get("next", "")))
        response.set_cookie(
            self._cookie,
            cookie,
            path="/",
            secure=True,
            httponly=True,
            samesite="Strict",
            max_age=int(LONGEST.total_seconds()),
        )
        response.del_cookie(ENTRY_COOKIE, path="/", secure=True, httponly=True, samesite="Strict")
        return response

    async def sign_out(self, visit: Visit) -> web.Response:
        """End the present session."""
        async with audited(visit.means.context, visit.worker, Deed(action="sign_out")):
            await end_session(visit.means.context, visit.worker, visit.worker.session.id)
        response = see_other("/ops/sign-in", "signed_out")
        response.del_cookie(self._cookie, path="/", secure=True, httponly=True, samesite="Strict")
        return response

    async def sessions(self, visit: Visit) -> web.Response:
        """Show where this account is signed in."""
        found = await list_sessions(visit.means.context, visit.worker)
        return visit.show("sessions.html", sessions=found, here_session=visit.worker.session.id)

    async def end(self, visit: Visit) -> web.Response:
        """End another session of this account."""
        session = SessionId(visit.id("session"))
        async with audited(visit.means.context, visit.worker, Deed(action="session.end", subject=str(session))):
            await end_session(visit.means.context, visit.worker, session)
        return see_other("/ops/sessions", "session_ended")

    def _ask(self, request: web.Request, told: str, status: int, wanted: str | None = None) -> web.Response:
        entry = request.cookies.get(ENTRY_COOKIE) or secrets.token_urlsafe(24)
        wanted = own_place(request.query.get("next", "") if wanted is None else wanted)
        page = self._renderer.render("sign_in.html", {"told": told, "entry": entry, "next": wanted}, status)
        page.set_cookie(
            ENTRY_COOKIE, entry, path="/", secure=True, httponly=True, samesite="Strict", max_age=_ENTRY_LIFE_S
        )
        return page


def _plain(text: str) -> str:
    return "".join(one for one in text if one.isprintable())[:200]
