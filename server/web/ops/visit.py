"""One request to the operations page: who asks, what they sent, and what may be put into a page for them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from aiohttp import web
from msgspec import Struct

from server.domain.access import Scope, check_scope
from server.domain.staff import write_token
from server.services.sign_in import Worker
from server.web.ops.labels import SAID
from server.web.ops.means import Means
from server.web.ops.rendering import HEADERS, Renderer
from shared.problems import InputUnusable, NotFound

KindT = TypeVar("KindT", bound=StrEnum)

_OWN_PLACE = re.compile(r"/ops(?:/[A-Za-z0-9/_-]*)?")
_PLAIN = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f]*")


class FormUnusable(InputUnusable):
    """A field of the form is missing, too long, or none of those there are to choose from."""

    code = "form_unusable"


class Visit(Struct, frozen=True, kw_only=True):
    """Somebody who is signed in asks for something."""

    request: web.Request
    worker: Worker
    means: Means
    renderer: Renderer
    form: Mapping[str, str] = {}

    @property
    def cookie(self) -> str:
        """Return what the browser showed of the session."""
        return write_token(self.worker.token)

    def id(self, name: str) -> UUID:
        """Return an id from the address.

        Raises:
            NotFound: it is none, so nothing can have it.
        """
        text = self.request.match_info[name]
        try:
            if len(text) == 36:
                return UUID(text)
        except ValueError:
            pass
        raise NotFound("There is nothing at this address.")

    def text(self, name: str, most: int, *, needed: bool = True) -> str:
        """Return a field of the form without spaces around it.

        Raises:
            FormUnusable: it is missing, too long, or has control characters.
        """
        value = self.form.get(name, "").strip()
        if not value and needed:
            raise FormUnusable(f"Fill in the field “{name.replace('_', ' ')}”.")
        if len(value) > most:
            raise FormUnusable(f"The field “{name.replace('_', ' ')}” takes {most} characters at most.")
        if not _PLAIN.fullmatch(value):
            raise FormUnusable(f"The field “{name.replace('_', ' ')}” has characters that no text needs.")
        return value

    def choice(self, name: str, kind: type[KindT]) -> KindT:
        """Return a field of the form that is one of a kind's values.

        Raises:
            FormUnusable: it is none of them.
        """
        value = self.form.get(name, "")
        if value not in {one.value for one in kind}:
            raise FormUnusable(f"Choose a value for “{name.replace('_', ' ')}”.")
        return kind(value)

    def may(self, scope: Scope) -> bool:
        """Say whether the role has a right."""
        return scope in self.worker.user.scopes

    def need(self, scope: Scope) -> None:
        """Return if the role has a right.

        Raises:
            ScopeMissing: otherwise.
        """
        check_scope(self.worker.user, scope)

    def show(self, template: str, *, status: int = 200, **data: object) -> web.Response:
        """Return a page with what every page of somebody signed in has."""
        shared = {
            "worker": self.worker.staff,
            "form_token": self.worker.token.form_token,
            "may": {str(scope) for scope in self.worker.user.scopes},
            "now": self.means.context.clock.now(),
            "here": self.request.path,
            "said": SAID.get(self.request.query.get("said", ""), ""),
            "event": None,
        }
        return self.renderer.render(template, shared | data, status)


Handler = Callable[[Visit], Awaitable[web.StreamResponse]]


class Page(Struct, frozen=True, kw_only=True):
    """One address of the operations page: what it is, and which right it takes."""

    method: str
    path: str
    handler: Handler
    scope: Scope | None = None
    summary: str


def see_other(path: str, said: str = "") -> web.Response:
    """Return an answer that leads to a page, which says what was done."""
    place = f"{path}?said={said}" if said else path
    return web.Response(status=303, headers=HEADERS | {"Location": place, "Cache-Control": "no-store"})


def own_place(text: str, otherwise: str = "/ops") -> str:
    """Return an address if it is one of the operations page's."""
    return text if _OWN_PLACE.fullmatch(text) else otherwise
