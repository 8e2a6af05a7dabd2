"""The page's own files as they go over the wire: one build name for all of them, compressed once."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from string import Template

from msgspec import Struct

PREFIX = "/web/ticket"
LANGUAGES = ("en", "de")

_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_SHELL, _WORKER = "page.html", "sw.js"
_OPENING = {"en": "Opening your ticket", "de": "Ihr Ticket wird geöffnet"}
_NO_SCRIPT = {
    "en": "Your phone makes the code by itself and needs JavaScript for it. Switch it on, or ask the staff at the door.",
    "de": "Ihr Telefon erzeugt den Code selbst und braucht dafür JavaScript. Schalten Sie es ein, oder fragen Sie am Eingang.",
}


class Asset(Struct, frozen=True, kw_only=True):
    """One file: its bytes plain and compressed with gzip, and the entity tag of its content."""

    content_type: str
    body: bytes
    packed: bytes
    etag: str


class PageAssets(Struct, frozen=True, kw_only=True):
    """All files of one build: ``shells`` is the page itself by language, ``files`` what it loads, by name."""

    build: str
    shells: Mapping[str, Asset]
    worker: Asset
    files: Mapping[str, Asset]

    @property
    def base(self) -> str:
        """Return the address below which the files of this build lie."""
        return f"{PREFIX}/{self.build}"


def load_assets() -> PageAssets:
    """Read and compress the package's files; blocks for some milliseconds."""
    found = {one.name: one.read_text(encoding="utf-8") for one in files(__package__).joinpath("static").iterdir()}
    shell, worker = found.pop(_SHELL), found.pop(_WORKER)
    everything = "\0".join([shell, worker, *(f"{name}\0{text}" for name, text in sorted(found.items()))])
    build = hashlib.sha256(everything.encode()).hexdigest()[:16]
    base = f"{PREFIX}/{build}"
    addresses = " ".join(f"{base}/{name}" for name in sorted(found))
    return PageAssets(
        build=build,
        shells={language: _make("html", _fill_shell(shell, base, sorted(found), language)) for language in LANGUAGES},
        worker=_make("js", worker.replace("@BUILD@", build).replace("@FILES@", addresses)),
        files={name: _make(name.rpartition(".")[2], text) for name, text in found.items()},
    )


def _fill_shell(shell: str, base: str, names: list[str], language: str) -> str:
    # Named in advance, or the browser would find one module after the other.
    scripts = [f'<link rel="modulepreload" href="{base}/{name}">' for name in names if name.endswith(".js")]
    return Template(shell).substitute(
        lang=language,
        base=base,
        preloads="\n".join(scripts),
        opening=_OPENING[language],
        noscript=_NO_SCRIPT[language],
    )


def _make(kind: str, text: str) -> Asset:
    body = text.encode()
    return Asset(
        content_type=_TYPES[kind],
        body=body,
        packed=gzip.compress(body, 9, mtime=0),
        etag=hashlib.sha256(body).hexdigest()[:32],
    )
