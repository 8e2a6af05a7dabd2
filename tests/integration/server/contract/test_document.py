"""The description is complete, is the one that was checked in, and can be read by programs and people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml
from multidict import CIMultiDict

from server.app import build_app
from tests.integration.server.contract.hall import Hall

DESCRIPTION = Path(__file__).parents[4] / "docs" / "openapi.yaml"


async def read_document(hall: Hall) -> dict[str, Any]:
    """Return what the server says of itself."""
    reply = await hall.send("GET", "/openapi.json", {})
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    document: dict[str, Any] = msgspec.json.decode(reply.body)
    return document


async def test_every_address_of_the_server_is_described_and_no_other(hall: Hall) -> None:
    document = await read_document(hall)
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    app = build_app(hall.served.running.parts)
    served = {(one.method, one.resource.canonical) for one in app.router.routes() if one.resource is not None}
    # What can be read has a head as well, of which nothing more is to be said; and pages for people are not an interface.
    assert told == {(method, path) for method, path in served if method != "HEAD" and not path.startswith("/ops")}


async def test_the_file_in_docs_is_what_the_server_says(hall: Hall) -> None:
    """Write it anew with `./run python docs/make_openapi.py`."""
    kept = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    document = await read_document(hall)
    assert set(kept["paths"]) == set(document["paths"])
    for path, methods in document["paths"].items():
        assert kept["paths"][path] == methods, path
    assert kept == document


async def test_every_operation_has_a_name_a_heading_and_a_summary_of_its_own(hall: Hall) -> None:
    document = await read_document(hall)
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    names = [one["operationId"] for one in operations]
    assert len(names) == len(set(names))
    headings = {tag["name"] for tag in document["tags"]}
    assert all(one["summary"] and set(one["tags"]) <= headings for one in operations)


async def test_every_reference_leads_somewhere(hall: Hall) -> None:
    document = await read_document(hall)
    references = set(_references(document))
    assert len(references) > 20
    for reference in references:
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in place, reference
            place = place[part]


async def test_every_body_is_bounded(hall: Hall) -> None:
    """Texts and lists of requests have a greatest length: what has none is a way to fill the memory."""
    document = await read_document(hall)
    schemas = document["components"]["schemas"]
    bodies = [
        content["schema"]
        for methods in document["paths"].values()
        for one in methods.values()
        for media, content in one.get("requestBody", {}).get("content", {}).items()
        if media == "application/json"
    ]
    loose = sorted({place for body in bodies for place in _loose(body, schemas, "")})
    assert bodies
    assert not loose


async def test_document_and_page_are_sent_once(hall: Hall) -> None:
    for path in ("/openapi.json", "/docs"):
        first = await hall.send("GET", path, {})
        again = await hall.send("GET", path, {"If-None-Match": CIMultiDict(first.headers)["ETag"]})
        other = await hall.send("GET", path, {"If-None-Match": '"another"'})
        assert (again.status, again.body) == (304, b"")
        assert (other.status, other.body) == (200, first.body)


async def test_page_runs_nothing_and_loads_nothing(hall: Hall) -> None:
    page = await hall.send("GET", "/docs", {})
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert b"<script" not in page.body
    assert b"://" not in page.body
    for methods in (await read_document(hall))["paths"].values():
        assert all(f'id="{one["operationId"]}"'.encode() in page.body for one in methods.values())


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in _references(value)]
    return [found for value in part for found in _references(value)] if isinstance(part, list) else []


def _loose(schema: dict[str, Any], schemas: dict[str, Any], place: str) -> list[str]:
    """Return the places of a request that have no greatest length."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [] if f"{name}/" in place else _loose(schemas[name], schemas, f"{place}{name}/")
    found = []
    plain = schema.get("type") == "string" and not {"format", "enum", "const", "pattern"} & set(schema)
    if plain and "maxLength" not in schema:
        found.append(place)
    if schema.get("type") == "array":
        found += [place] if "maxItems" not in schema else []
        found += _loose(schema.get("items", {}), schemas, f"{place}[]")
    for name, inner in schema.get("properties", {}).items():
        found += _loose(inner, schemas, f"{place}{name}")
    for inner in [*schema.get("anyOf", ()), *schema.get("oneOf", ())]:
        found += _loose(inner, schemas, place)
    return found
