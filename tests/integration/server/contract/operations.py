"""The operations a server says it has, read from its own description."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from tests.integration.server.contract.hall import Hall
from tests.integration.server.contract.samples import Sample, samples
from tests.integration.server.selling.client import Reply
from tests.integration.server.selling.stage import fresh_key

_PLACE = re.compile(r"\{(\w+)\}")


class Operation(Struct, frozen=True, kw_only=True):
    """One method of one path; ``told`` is its part of the description."""

    method: str
    path: str
    told: dict[str, Any]

    @property
    def name(self) -> str:
        """Return method and path."""
        return f"{self.method} {self.path}"

    @property
    def places(self) -> list[str]:
        """Return the names of the places in its path."""
        return _PLACE.findall(self.path)

    @property
    def takes_json(self) -> bool:
        """Tell whether it takes a body of JSON."""
        return "application/json" in self.told.get("requestBody", {}).get("content", {})

    def codes(self, status: int) -> set[str]:
        """Return the problem codes named for a status."""
        content = self.told["responses"].get(str(status), {}).get("content", {})
        parts = content.get("application/problem+json", {}).get("schema", {}).get("allOf", [])
        return {code for part in parts for code in part.get("properties", {}).get("code", {}).get("enum", [])}

    def sample(self, places: Mapping[str, str]) -> Sample:
        """Return a sound request of it."""
        return samples(places).get(self.name, Sample())

    def address(self, places: Mapping[str, str], query: Mapping[str, str] | None = None) -> str:
        """Return its path with these ids, and its query."""
        named = {**places, "name": places["file"]} if self.path.startswith("/web/") else places
        path = _PLACE.sub(lambda found: named[found[1]], self.path)
        asked = "&".join(f"{name}={value}" for name, value in (query or {}).items())
        return f"{path}?{asked}" if asked else path

    def headers(self) -> dict[str, str]:
        """Return the headers without which it does not work, new each time."""
        names = [one.get("$ref", "") for one in self.told.get("parameters", [])]
        return {"Idempotency-Key": fresh_key()} if "#/components/parameters/IdempotencyKey" in names else {}

    async def ask(self, hall: Hall, caller: str, address: str, body: bytes | None = None) -> Reply:
        """Make the call as somebody of the home side."""
        proof = hall.prove(caller, self.method, address, body or b"")
        media = {} if body is None else {"Content-Type": next(iter(self.told["requestBody"]["content"]))}
        return await hall.send(self.method, address, proof | self.headers() | media, body)


def encode(body: object) -> bytes | None:
    """Return a sample's body as it is sent."""
    return body if isinstance(body, bytes | None) else msgspec.json.encode(body)


def find_shadowed(operations: list[Operation]) -> list[str]:
    """Return the paths that another path matches as well."""
    paths = {one.path for one in operations}
    patterns = {path: re.compile(_PLACE.sub("[^/]+", path)) for path in paths if _PLACE.search(path)}
    return sorted(
        path for path in paths if any(other != path and found.fullmatch(path) for other, found in patterns.items())
    )


async def read_operations(hall: Hall) -> list[Operation]:
    """Return everything the server says it can do."""
    reply = await hall.send("GET", "/openapi.json", {})
    assert reply.status == 200
    document = msgspec.json.decode(reply.body)
    return [
        Operation(method=method.upper(), path=path, told=told)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]
