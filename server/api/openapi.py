"""The description of the whole interface, OpenAPI 3.1, made from the route table and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from server.api.openapi_operation import KEY_HEADER, describe_operation, name_area, types_of
from server.api.openapi_problems import BEYOND_ROUTES
from server.api.openapi_types import Json, Schemas
from server.api.problems import Problem
from server.api.routes import Route
from server.domain.calls import KEY_PATTERN

VERSION = "1.0.0"

_INTRODUCTION = """\
Tickets from the reservation to the door.

**Problems.** Everything that is not a success is a problem (RFC 9457) of media type `application/problem+json`. Its `code` is
stable and one of those named with the operation; `detail` is for people. Besides them, every address may answer:

{beyond}

**Once only.** Calls that move money, stock or ownership take an `Idempotency-Key`. Repeated with the same key and body they
answer what they answered before, with `Idempotency-Replayed: true`.

**Pages.** Lists come in pages: `limit` says how many, `cursor` is the `nextCursor` of the page before.

**Unknown fields** in a body are refused, unknown parameters in an address are not read. Clients should pass over fields of
answers that they do not know: new ones may come."""


_COUNT: Json = {"type": "integer", "minimum": 0}
_LIMITS = {
    "RateLimit-Limit": "How many calls of this kind the caller has.",
    "RateLimit-Remaining": "How many of them are left.",
    "RateLimit-Reset": "After how many seconds all are back.",
}


def describe_server(routes: Sequence[Route]) -> Json:
    """Return the document for a route table."""
    types = [Problem, *(kind for route in routes for kind in types_of(route))]
    schemas = Schemas(types)
    paths: Json = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = describe_operation(route, schemas)
    for route in routes:
        for read in (route.query, route.headers):
            if read is not None:
                schemas.drop(read)
    beyond = "\n".join(f"- {one.status} `{one.code}`: {one.meaning}" for one in BEYOND_ROUTES)
    document: Json = {
        "openapi": "3.1.0",
        "info": {"title": "TicketToken Gate", "version": VERSION, "description": _INTRODUCTION.format(beyond=beyond)},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in sorted({name_area(route) for route in routes})],
        "paths": paths,
        "components": _components(schemas),
    }
    _drop_loose_links(document)
    return document


def _drop_loose_links(document: Json) -> None:
    """Take out links to operations that this server does not have."""
    operations = [one for path in document["paths"].values() for one in path.values()]
    names = {one["operationId"] for one in operations}
    for operation in operations:
        for answer in operation["responses"].values():
            links = {name: link for name, link in answer.get("links", {}).items() if link["operationId"] in names}
            answer.pop("links", None)
            if links:
                answer["links"] = links


def _components(schemas: Schemas) -> Json:
    text: Json = {"type": "string"}
    return {
        "schemas": dict(sorted(schemas.components.items())),
        "parameters": {
            "IdempotencyKey": {
                "name": KEY_HEADER,
                "in": "header",
                "required": True,
                "description": "A name of the caller's own for this call, new for every new intention.",
                "schema": {"type": "string", "pattern": KEY_PATTERN},
            }
        },
        "headers": {
            "X-Trace-Id": {
                "description": "Under this id the server's log knows the call.",
                "required": True,
                "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            },
            "Idempotency-Replayed": {
                "description": "`true` if this is the answer of an earlier call with this key.",
                "schema": text,
            },
            **{name: {"description": said, "schema": dict(_COUNT)} for name, said in _LIMITS.items()},
            "Retry-After": {
                "description": "After how many seconds to try again.",
                "required": True,
                "schema": dict(_COUNT),
            },
            "WWW-Authenticate": {
                "description": "Which proof is asked for (RFC 9110).",
                "required": True,
                "schema": text,
            },
        },
        "securitySchemes": _schemes(),
    }


def _schemes() -> Json:
    return {
        "user": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A person: the token names tenant, user and role, the role brings the rights.",
        },
        "gate": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A gate: a token of at most a minute, signed with the key it enrolled with (EdDSA).",
        },
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An outside system: an API key, beginning with `tt_live_`.",
        },
        "service": {
            "type": "apiKey",
            "in": "header",
            "name": "X-TT-Signature",
            "description": "Another service: a signature over this very call, see docs/reference/service-calls.md.",
        },
    }
