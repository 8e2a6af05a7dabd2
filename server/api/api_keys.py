"""API keys for outside systems, over HTTP: made, listed, taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from server.api.exchange import PageQuery, read_body, read_id, read_page, reply
from server.api.pages import Pagination, paginate
from server.api.routes import USER, Auth, Route
from server.domain.access import Scope
from server.domain.names import NameUnusable, read_name
from server.services import api_keys
from server.services.context import Context
from server.services.problems import EventUnknown
from server.services.problems_access import ApiKeyUnknown, ExpiryUnusable, ScopeNotForKeys
from server.services.rows_access import ApiKeyRow
from shared.ids import ApiKeyId, EventId
from shared.packed import Aware

GivenName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]


class ApiKeyRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What a key is to be good for; no event means all of them, no end means until it is revoked."""

    name: GivenName
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=20)]
    event_id: EventId | None = None
    expires_at: Aware | None = None


class ApiKeyView(Struct, frozen=True, kw_only=True, rename="camel"):
    """An API key as those see it who look after it; ``last_used_at`` is right to within five minutes."""

    id: ApiKeyId
    name: str
    scopes: list[Scope]
    event_id: EventId | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class ApiKeyMade(Struct, frozen=True, kw_only=True, rename="camel"):
    """A new key: ``key`` is shown this once, and kept nowhere."""

    key: str
    api_key: ApiKeyView

    def __repr__(self) -> str:
        """Keep the key out of logs."""
        return f"ApiKeyMade(api_key={self.api_key.id})"


class ApiKeyList(Struct, frozen=True, kw_only=True):
    """A page of keys."""

    items: list[ApiKeyView]
    pagination: Pagination


class ApiKeyApi:
    """What whoever looks after access calls."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route(
                method="POST",
                path="/api/v1/api-keys",
                handler=self.make,
                auth=Auth.USER,
                scope=Scope.ACCESS_MANAGE,
                summary="Make an API key for an outside system",
                body=ApiKeyRequest,
                answer=ApiKeyMade,
                status=201,
                raises=(NameUnusable, ScopeNotForKeys, ExpiryUnusable, EventUnknown),
            ),
            Route(
                method="GET",
                path="/api/v1/api-keys",
                handler=self.list_keys,
                auth=Auth.USER,
                scope=Scope.ACCESS_MANAGE,
                summary="The organiser's API keys",
                query=PageQuery,
                answer=ApiKeyList,
            ),
            Route(
                method="DELETE",
                path="/api/v1/api-keys/{key}",
                handler=self.revoke,
                auth=Auth.USER,
                scope=Scope.ACCESS_MANAGE,
                summary="Take an API key back for good",
                answer=ApiKeyView,
                raises=(ApiKeyUnknown,),
            ),
        ]

    async def make(self, request: web.Request) -> web.Response:
        """Make a key and show it once."""
        body, user = await read_body(request, ApiKeyRequest), request[USER]
        wish = api_keys.KeyWish(
            name=read_name(body.name, 100, "key's name"),
            scopes=frozenset(body.scopes),
            event=body.event_id,
            expires_at=body.expires_at,
        )
        made = await api_keys.make_key(self._context, user.tenant, user.user, wish)
        answer = ApiKeyMade(key=made.text, api_key=_view(made.row))
        return reply(answer, status=201, headers={"Cache-Control": "no-store"})

    async def list_keys(self, request: web.Request) -> web.Response:
        """Answer with a page of keys."""
        page = read_page(request)
        found = await api_keys.list_keys(self._context, request[USER].tenant, page)
        items = [_view(row) for row in found.items]
        return reply(ApiKeyList(items=items, pagination=paginate(page.limit, found.next_after)))

    async def revoke(self, request: web.Request) -> web.Response:
        """Take a key back."""
        key = ApiKeyId(read_id(request, "key"))
        return reply(_view(await api_keys.revoke_key(self._context, request[USER].tenant, key)))


def _view(row: ApiKeyRow) -> ApiKeyView:
    return ApiKeyView(
        id=row.id,
        name=row.name,
        scopes=row.scopes,
        event_id=row.event,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
