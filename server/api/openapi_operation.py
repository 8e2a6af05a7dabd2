"""One route as an operation of OpenAPI 3.1: what it takes, what it answers, and what may go wrong."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import get_args, get_origin

from server.api.openapi_links import links_of
from server.api.openapi_problems import KnownProblem, list_problems
from server.api.openapi_types import Json, Schemas, first_sentence
from server.api.problems import Problem
from server.api.routes import Also, Auth, Route
from server.domain.limits import LimitClass

PROBLEM_MEDIA = "application/problem+json"
KEY_HEADER = "Idempotency-Key"
LIMIT_HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")

_PLACE = re.compile(r"\{(\w+)\}")
_JSON_MEDIA = "application/json"
_TEXT_PLACES = {"link", "build", "name", "code"}
_NUMBER_PLACES = {"n"}
_AREAS = {
    "api-keys": "API keys",
    "health": "Health",
    "gate": "Gate protocol",
    "internal": "Services",
    "t": "Ticket page",
    "web": "Ticket page",
}
_SECURITY: dict[Auth, list[Json]] = {
    Auth.PUBLIC: [],
    Auth.USER: [{"user": []}],
    Auth.SCANNER: [{"user": []}, {"key": []}],
    Auth.GATE: [{"gate": []}],
    Auth.SERVICE: [{"service": []}],
}
_DESCRIPTION = {"openapi.json", "docs"}

_TRACE = {"X-Trace-Id": {"$ref": "#/components/headers/X-Trace-Id"}}


def types_of(route: Route) -> list[object]:
    """Return the types a route speaks of."""
    spoken = [route.body, route.query, route.headers, route.answer, *(one.answer for one in route.also)]
    return [one for one in spoken if one is not None and one is not bytes]


def name_operation(route: Route) -> str:
    """Return a name that stays as long as the address does: its method and its path."""
    parts = [part for part in route.path.split("/") if part not in {"", "api", "v1"}]
    words = [f"by-{part.strip('{}')}" if part.startswith("{") else part for part in parts]
    title = "".join(word.capitalize() for one in words for word in re.split(r"[^A-Za-z0-9]+", one))
    return route.method.lower() + title


def name_area(route: Route) -> str:
    """Return under which heading a route stands."""
    parts = [part for part in route.path.split("/") if part and part not in {"api", "v1"}]
    first = parts[0] if parts else ""
    if first in _DESCRIPTION:
        return "Description"
    return _AREAS.get(first, first.replace("-", " ").capitalize())


def describe_operation(route: Route, schemas: Schemas) -> Json:
    """Return the operation of a route."""
    operation: Json = {
        "operationId": name_operation(route),
        "tags": [name_area(route)],
        "summary": route.summary,
        "description": _describe(route),
        "parameters": _parameters(route, schemas),
        "requestBody": _body(route, schemas),
        "responses": _responses(route, schemas),
        "security": _SECURITY[route.auth] if route.auth is not None else [],
    }
    return {name: value for name, value in operation.items() if value or name == "security"}


def _describe(route: Route) -> str:
    told = first_sentence(route.handler.__doc__)
    said = [told] if told.rstrip(".") != route.summary.rstrip(".") else []
    if route.scope is not None:
        said.append(f"Needs the right `{route.scope}`.")
    return " ".join(one for one in said if one)


def _parameters(route: Route, schemas: Schemas) -> list[Json]:
    found = [_place(name) for name in _PLACE.findall(route.path)]
    for where, kind in (("query", route.query), ("header", route.headers)):
        if kind is not None:
            found += [_parameter(where, *field) for field in schemas.fields(kind)]
    if route.keyed:
        found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    return found


def _place(name: str) -> Json:
    schema: Json = {"type": "string", "format": "uuid"}
    if name in _TEXT_PLACES:
        schema = {"type": "string"}
    elif name in _NUMBER_PLACES:
        schema = {"type": "integer", "minimum": 0}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _parameter(where: str, name: str, required: bool, schema: Json) -> Json:  # noqa: FBT001 - one field's three facts
    return {"name": name, "in": where, "required": required, "schema": schema}


def _body(route: Route, schemas: Schemas) -> Json:
    if route.body is None:
        return {}
    return {"required": True, "content": {media: _content(media, route.body, schemas) for media in route.takes}}


def _content(media: str, kind: object, schemas: Schemas) -> Json:
    if media == _JSON_MEDIA and kind is not bytes:
        return {"schema": schemas.of(kind)}
    # Bytes have no schema of their own in OpenAPI 3.1: the media type says it all.
    return {"schema": {"type": "string"}} if media.startswith(("text/", "image/svg")) else {}


def _responses(route: Route, schemas: Schemas) -> Json:
    answers: Json = {}
    success = Also(status=route.status, answer=route.answer, media=route.media)
    for one in (success, *route.also):
        answers[str(one.status)] = _answer(one, schemas)
        answers[str(one.status)] |= {} if one.status == 101 else {"headers": _headers(route)}
    _add_success_facts(route, answers[str(route.status)])
    by_status: dict[int, list[KnownProblem]] = defaultdict(list)
    for problem in list_problems(route):
        by_status[problem.status].append(problem)
    for status, problems in by_status.items():
        said = answers.get(str(status), {"description": "", "content": {}})
        answers[str(status)] = _refusal(status, problems, said, _headers(route))
    return dict(sorted(answers.items()))


def _headers(route: Route) -> Json:
    """Return what every answer of a route carries."""
    limited = route.counted_as is not LimitClass.FREE
    return _TRACE | ({name: {"$ref": f"#/components/headers/{name}"} for name in LIMIT_HEADERS} if limited else {})


def _answer(answer: Also, schemas: Schemas) -> Json:
    described: Json = {"description": _say(answer)}
    if answer.answer is not None:
        described["content"] = {media: _content(media, answer.answer, schemas) for media in answer.media}
    return described


def _say(answer: Also) -> str:
    if answer.status == 304:
        return "The caller has it already."
    if answer.status == 101:
        return "The connection becomes a WebSocket."
    kind = answer.answer
    if kind is None:
        return "It is done; there is nothing to say."
    if kind is bytes or get_origin(kind) is not None or get_args(kind):
        return "What was asked for."
    return first_sentence(kind.__doc__) or "What was asked for."


def _add_success_facts(route: Route, described: Json) -> None:
    if route.keyed:
        described["headers"]["Idempotency-Replayed"] = {"$ref": "#/components/headers/Idempotency-Replayed"}
    links = links_of(route.method, route.path)
    if links:
        described["links"] = links


def _refusal(status: int, problems: Sequence[KnownProblem], said: Json, headers: Json) -> Json:
    lines = [said["description"], *(f"`{one.code}`: {one.meaning}" for one in problems)]
    codes = [one.code for one in problems]
    schema = {"allOf": [schema_of_problem(), {"properties": {"code": {"enum": codes}, "status": {"const": status}}}]}
    if status == 401:
        headers["WWW-Authenticate"] = {"$ref": "#/components/headers/WWW-Authenticate"}
    if status in {429, 503}:
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    return {
        "description": "\n\n".join(line for line in lines if line),
        "headers": headers,
        "content": {**said.get("content", {}), PROBLEM_MEDIA: {"schema": schema}},
    }


def schema_of_problem() -> Json:
    """Return the reference to the form all problems have."""
    return {"$ref": f"#/components/schemas/{Problem.__name__}"}
