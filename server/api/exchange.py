"""Reading requests and writing answers: JSON to structs and back, ids and pages out of paths and queries."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from server.api.problems import MediaTypeUnsupported, RequestInvalid, explain_invalid
from server.services.idempotency import Answer
from server.services.rows import Page
from shared.problems import NotFound

BODY_LIMIT = 1024 * 1024
REPLAYED = "Idempotency-Replayed"

BodyT = TypeVar("BodyT")
_Limit = Annotated[int, Meta(ge=1, le=100)]


class PageQuery(Struct, frozen=True, kw_only=True):
    """Where a list goes on: how many items, and the ``nextCursor`` of the page before."""

    limit: _Limit = 20
    cursor: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{22}$")] | None = None


async def read_body(request: web.Request, kind: type[BodyT]) -> BodyT:
    """Return the request's JSON body as a struct.

    Raises:
        MediaTypeUnsupported: it is not said to be JSON.
        RequestInvalid: it is no JSON, or does not have the form asked for.
    """
    if request.content_type != "application/json":
        raise MediaTypeUnsupported("Send the body as application/json.")
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.ValidationError as exc:
        raise explain_invalid(exc) from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise RequestInvalid("The body is not JSON.") from exc


def read_id(request: web.Request, name: str) -> UUID:
    """Return an id from the path.

    Raises:
        NotFound: it is no id, so nothing can have it.
    """
    found = parse_id(request.match_info[name])
    if found is None:
        raise NotFound("There is nothing under this id.")
    return found


def parse_id(text: str) -> UUID | None:
    """Return an id from its canonical text of 36 characters; None for anything else."""
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def read_query(request: web.Request, kind: type[BodyT]) -> BodyT:
    """Return the address's parameters as a struct; those it has no field for are passed over.

    Raises:
        RequestInvalid: one of them has another form.
    """
    try:
        return msgspec.convert({name: request.query[name] for name in request.query}, kind, strict=False)
    except msgspec.ValidationError as exc:
        raise explain_invalid(exc) from exc


def read_page(request: web.Request, *, default: int = 20) -> Page:
    """Return where a listing goes on, from ``limit`` (1-100) and ``cursor``.

    Raises:
        RequestInvalid: one of them has another form.
    """
    try:
        limit = msgspec.convert(request.query.get("limit", default), _Limit, strict=False)
    except msgspec.ValidationError as exc:
        raise RequestInvalid("`limit` is a number from 1 to 100.") from exc
    cursor = request.query.get("cursor")
    return Page(after=None if cursor is None else _read_cursor(cursor), limit=limit)


def write_cursor(after: UUID | None) -> str | None:
    """Return the text by which the next page is asked for."""
    return None if after is None else base64.urlsafe_b64encode(after.bytes).rstrip(b"=").decode()


def reply(body: Struct, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a struct as a JSON answer."""
    return web.Response(status=status, body=msgspec.json.encode(body), content_type="application/json", headers=headers)


def reply_once(answer: Answer) -> web.Response:
    """Return the answer of a call that happens once, marked if it is an earlier one's."""
    headers = {REPLAYED: "true"} if answer.replayed else None
    return web.Response(status=answer.status, body=answer.body, content_type="application/json", headers=headers)


def _read_cursor(text: str) -> UUID:
    try:
        return UUID(bytes=base64.b64decode(text + "==", altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as exc:
        raise RequestInvalid("`cursor` is not one this server gave: start from the first page.") from exc
