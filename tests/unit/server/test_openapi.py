"""The description says of every route what the table says, in the form OpenAPI 3.1 asks for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import pytest
from aiohttp import web
from msgspec import Meta, Struct

from server.api.docs_page import write_page
from server.api.openapi import describe_server
from server.api.openapi_operation import name_operation
from server.api.routes import Also, Auth, Route
from server.domain.access import Scope
from shared.problems import Conflict, NotFound


class BoxGone(NotFound):
    """There is no such box. It may have been there."""

    code = "box_not_found"


class BoxFull(Conflict):
    """Nothing fits in any more."""

    code = "box_full"


class PutRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What is put in; ``put_by`` is None where nobody says."""

    item_name: Annotated[str, Meta(min_length=1, max_length=20)]
    put_by: UUID | None = None


class Box(Struct, frozen=True, kw_only=True, rename="camel"):
    """A box; ``closed_at`` is None while it is open."""

    id: UUID
    closed_at: datetime | None
    opened_at: datetime


class BoxQuery(Struct, frozen=True, kw_only=True, rename="camel"):
    """Which boxes."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    owner_id: UUID


async def put(request: web.Request) -> web.Response:
    """Put something into a box, where there is room."""
    return web.Response(text=request.path)


PUT = Route(
    method="POST",
    path="/api/v1/boxes/{box}/items",
    handler=put,
    auth=Auth.USER,
    scope=Scope.TICKETS_OWN,
    summary="Put something in",
    body=PutRequest,
    answer=Box,
    status=201,
    keyed=True,
    raises=(BoxGone, BoxFull),
)
LIST = Route(
    method="GET",
    path="/api/v1/boxes",
    handler=put,
    auth=Auth.PUBLIC,
    summary="Boxes",
    query=BoxQuery,
    answer=Box,
    also=(Also(status=304),),
)


@pytest.fixture
def document() -> dict[str, Any]:
    """Give the description of two routes."""
    return describe_server([PUT, LIST])


def operation(document: dict[str, Any], route: Route) -> dict[str, Any]:
    """Return one route's part."""
    found: dict[str, Any] = document["paths"][route.path][route.method.lower()]
    return found


def test_each_route_is_one_operation_with_a_lasting_name(document: dict[str, Any]) -> None:
    assert set(document["paths"]) == {PUT.path, LIST.path}
    assert operation(document, PUT)["operationId"] == "postBoxesByBoxItems"
    assert operation(document, PUT)["tags"] == ["Boxes"]
    assert name_operation(LIST) == "getBoxes"


def test_body_and_answer_are_named_as_on_the_wire(document: dict[str, Any]) -> None:
    told = operation(document, PUT)
    assert told["requestBody"]["content"] == {
        "application/json": {"schema": {"$ref": "#/components/schemas/PutRequest"}}
    }
    body = document["components"]["schemas"]["PutRequest"]
    assert (set(body["properties"]), body["required"]) == ({"itemName", "putBy"}, ["itemName"])
    assert body["additionalProperties"] is False
    assert body["description"] == "What is put in; `putBy` is null where nobody says."
    assert told["responses"]["201"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Box"}


def test_times_are_told_as_times(document: dict[str, Any]) -> None:
    fields = document["components"]["schemas"]["Box"]["properties"]
    assert fields["openedAt"]["format"] == "date-time"
    assert {"type": "string", "format": "date-time"} in fields["closedAt"]["anyOf"]


def test_parameters_come_from_path_query_and_key(document: dict[str, Any]) -> None:
    (place, key) = operation(document, PUT)["parameters"]
    assert (place["name"], place["in"], place["schema"]["format"]) == ("box", "path", "uuid")
    assert key == {"$ref": "#/components/parameters/IdempotencyKey"}
    asked = {one["name"]: one for one in operation(document, LIST)["parameters"]}
    assert {name: one["required"] for name, one in asked.items()} == {"limit": False, "ownerId": True}
    assert asked["limit"]["schema"]["maximum"] == 100
    assert "BoxQuery" not in document["components"]["schemas"]


def test_every_problem_is_named_with_its_status(document: dict[str, Any]) -> None:
    answers = operation(document, PUT)["responses"]
    named = {
        int(status): answer["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"]["enum"]
        for status, answer in answers.items()
        if status != "201"
    }
    assert named[404] == ["box_not_found", "not_found"]
    assert named[409] == ["answer_erased", "box_full", "idempotency_in_progress"]
    assert named[401] == ["token_invalid", "token_missing"]
    assert named[403] == ["scope_missing"]
    assert {"request_invalid", "idempotency_key_unusable"} <= set(named[400])
    assert set(named) == {400, 401, 403, 404, 409, 413, 415, 422, 429, 503}
    assert "`box_not_found`: There is no such box. It may have been there." in answers["404"]["description"]


def test_a_route_open_to_all_asks_for_no_proof(document: dict[str, Any]) -> None:
    told = operation(document, LIST)
    assert told["security"] == []
    assert set(told["responses"]) == {"200", "304", "400", "503"}
    assert "content" not in told["responses"]["304"]
    assert operation(document, PUT)["security"] == [{"user": []}]


def test_links_lead_only_where_something_is() -> None:
    reserve = Route(method="POST", path="/api/v1/tickets/reserve", handler=put, auth=Auth.PUBLIC, status=201)
    buy = Route(method="POST", path="/api/v1/tickets/purchase", handler=put, auth=Auth.PUBLIC)
    alone = describe_server([reserve])["paths"][reserve.path]["post"]["responses"]["201"]
    both = describe_server([reserve, buy])["paths"][reserve.path]["post"]["responses"]["201"]
    assert "links" not in alone
    assert set(both["links"]) == {"postTicketsPurchase"}


def test_page_shows_every_operation_and_type_without_script(document: dict[str, Any]) -> None:
    page, policy = write_page(document)
    text = page.decode()
    for told in (operation(document, PUT), operation(document, LIST)):
        assert f'id="{told["operationId"]}"' in text
    for name in document["components"]["schemas"]:
        assert f'id="type-{name}"' in text
    assert "<script" not in text
    assert "script-src" not in policy
    assert "default-src 'none'" in policy


def test_page_takes_no_text_for_markup() -> None:
    route = Route(method="GET", path="/a", handler=put, auth=Auth.PUBLIC, summary="<img src=x onerror=alert(1)>")
    page, _ = write_page(describe_server([route]))
    assert b"<img" not in page
    assert b"&lt;img" in page
