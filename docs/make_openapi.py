"""Write docs/openapi.yaml: what a server says of itself under /openapi.json, in a form that people can compare.

Run `./run python docs/make_openapi.py` after a route has changed. It starts a server of its own on a private database and
takes it away again, so that the document is the one that is served and no other.
"""  # noqa: INP001 - a script beside the pages, not a package

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from server.embedded_stack import embedded_server
from server.settings import EmbeddedSettings
from shared.logs import configure_logs

TARGET = Path(__file__).with_name("openapi.yaml")
HEADING = "# Written by docs/make_openapi.py from the server's route table: change that, not this.\n"


def write_yaml(document: dict[str, Any]) -> str:
    """Return the document as YAML, in the order it has."""
    return HEADING + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


async def fetch_document(place: Path) -> dict[str, Any]:
    """Return what a fresh server says of itself."""
    async with (
        embedded_server(place, EmbeddedSettings(), unsafe_fast=True) as server,
        aiohttp.ClientSession(server.base_url) as session,
        session.get("/openapi.json") as answer,
    ):
        answer.raise_for_status()
        document: dict[str, Any] = await answer.json()
        return document


def main() -> None:
    """Write the file."""
    configure_logs("error")
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)  # the database runs as another account when this one is root
        document = asyncio.run(fetch_document(Path(place, "data")))
    TARGET.write_text(write_yaml(document), encoding="utf-8")
    sys.stdout.write(f"{TARGET.name}: {len(document['paths'])} paths\n")


if __name__ == "__main__":
    main()
