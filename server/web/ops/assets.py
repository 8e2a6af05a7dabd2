"""The page's files as they go over the wire, the chart's library among them where it is installed."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from msgspec import Struct

PREFIX = "/ops/files"
CHART_FILES = {"uplot.js": "uPlot.iife.min.js", "uplot.css": "uPlot.min.css"}
"""What is served of the chart's library, and under which name it is installed (see `charts/package.json`)."""

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class OpsFile(Struct, frozen=True, kw_only=True):
    """One file: its bytes plain and compressed with gzip."""

    content_type: str
    body: bytes
    packed: bytes


class OpsFiles(Struct, frozen=True, kw_only=True):
    """All files of one build by name; templates are texts."""

    build: str
    files: Mapping[str, OpsFile]
    templates: Mapping[str, str]

    @property
    def base(self) -> str:
        """Return the address below which the files of this build lie."""
        return f"{PREFIX}/{self.build}"

    @property
    def has_chart(self) -> bool:
        """Say whether the chart's library is here; without it the page draws the chart plainly."""
        return set(CHART_FILES) <= set(self.files)


def load_ops_files() -> OpsFiles:
    """Read and compress the package's files; blocks for some milliseconds."""
    package = files(__package__)
    bodies = {one.name: one.read_bytes() for one in package.joinpath("static").iterdir()}
    installed = package.joinpath("charts", "node_modules", "uplot", "dist")
    bodies |= {name: found for name, source in CHART_FILES.items() if (found := _read(installed.joinpath(source)))}
    templates = {one.name: one.read_text(encoding="utf-8") for one in package.joinpath("templates").iterdir()}
    digest = hashlib.sha256(b"\0".join(name.encode() + b"\0" + bodies[name] for name in sorted(bodies)))
    return OpsFiles(
        build=digest.hexdigest()[:16],
        files={name: _make(name.rpartition(".")[2], body) for name, body in bodies.items()},
        templates=templates,
    )


def _read(place: Traversable) -> bytes | None:
    return place.read_bytes() if place.is_file() else None


def _make(kind: str, body: bytes) -> OpsFile:
    return OpsFile(content_type=_TYPES[kind], body=body, packed=gzip.compress(body, 9, mtime=0))
