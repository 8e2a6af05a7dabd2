"""The description as a page for people: one file, no script, nothing loaded from anywhere, light or dark as the reader has it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from server.api.docs_shape import write_shape
from server.api.openapi_operation import PROBLEM_MEDIA
from server.api.openapi_types import Json

_STYLE = "docs_page.css"
_CODE = re.compile(r"`([^`]+)`")
_STRONG = re.compile(r"\*\*([^*]+)\*\*")
_CALLERS = {"user": "a user's token", "gate": "a gate's token", "service": "a signed call", "key": "an API key"}


def write_page(document: Json) -> tuple[bytes, str]:
    """Return the page and its Content-Security-Policy; blocks for some milliseconds."""
    style = files(__package__).joinpath(_STYLE).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return "\n".join(_write(document, style)).encode(), policy


def _write(document: Json, style: str) -> Iterator[str]:
    title, version = escape(document["info"]["title"]), escape(document["info"]["version"])
    areas = _by_area(document)
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
    yield f"<title>{title}: the interface</title><style>{style}</style></head><body>"
    yield '<a class="skip" href="#top">To the text</a>'
    yield from _navigation(title, version, areas)
    yield f'<main id="top"><h1>{title}</h1>'
    yield f"<p>Version {version}. The same as a document for programs: "
    yield '<a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>'
    yield _prose(document["info"]["description"])
    for name, operations in areas.items():
        yield f'<section><h2 id="{_anchor(name)}">{escape(name)}</h2>'
        for path, method, operation in operations:
            yield from _operation(document, path, method, operation)
        yield "</section>"
    yield '<section><h2 id="types">Types</h2>'
    for name, schema in document["components"]["schemas"].items():
        yield f'<article><h3 id="type-{escape(name)}"><code>{escape(name)}</code></h3>'
        yield _inline(schema.get("description", ""), "p")
        yield f"{write_shape(schema)}</article>"
    yield "</section></main></body></html>"


def _by_area(document: Json) -> dict[str, list[tuple[str, str, Json]]]:
    areas: dict[str, list[tuple[str, str, Json]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            areas[operation["tags"][0]].append((path, method, operation))
    return areas


def _navigation(title: str, version: str, areas: dict[str, list[tuple[str, str, Json]]]) -> Iterator[str]:
    yield f'<nav aria-label="Contents"><p class="brand">{title} <small>{version}</small></p>'
    for name, operations in areas.items():
        yield f'<p><a href="#{_anchor(name)}">{escape(name)}</a></p><ul>'
        for path, method, operation in operations:
            label = f'<span class="m {method}">{method.upper()}</span> {_breakable(path)}'
            yield f'<li><a href="#{operation["operationId"]}">{label}</a></li>'
        yield "</ul>"
    yield '<p><a href="#types">Types</a></p></nav>'


def _operation(document: Json, path: str, method: str, operation: Json) -> Iterator[str]:
    name = operation["operationId"]
    yield f'<article><h3 id="{name}"><span class="m {method}">{method.upper()}</span> <code>{_breakable(path)}</code>'
    yield f'<a class="here" href="#{name}" aria-label="Link to this call">#</a></h3>'
    yield f"<p><strong>{escape(operation.get('summary', ''))}</strong></p>"
    yield _inline(operation.get("description", ""), "p")
    yield f"<p>Called with {_callers(operation)}.</p>"
    if "parameters" in operation:
        yield from _parameters(document, operation["parameters"])
    if "requestBody" in operation:
        yield "<h4>Body</h4>"
        for media, described in operation["requestBody"]["content"].items():
            shape = write_shape(_resolve(document, described.get("schema", {})))
            yield f'<div class="content"><code class="media">{escape(media)}</code> {shape}</div>'
    yield "<h4>Answers</h4><table><thead><tr><th>Status</th><th>Meaning</th><th>Body</th></tr></thead><tbody>"
    for status, answer in operation["responses"].items():
        meaning = "".join(_inline(part, "p") for part in answer["description"].split("\n\n"))
        body = "".join(_contents(answer.get("content", {})))
        yield f'<tr><td><span class="s s{status[0]}">{status}</span></td><td>{meaning}</td><td>{body}</td></tr>'
    yield "</tbody></table></article>"


def _callers(operation: Json) -> str:
    proofs = [name for one in operation["security"] for name in one]
    return " or ".join(_CALLERS.get(name, escape(name)) for name in proofs) or "no proof: open to everybody"


def _parameters(document: Json, parameters: Sequence[Json]) -> Iterator[str]:
    yield "<h4>Parameters</h4><table><thead><tr><th>Name</th><th>Where</th><th>What</th></tr></thead><tbody>"
    for given in parameters:
        one = _resolve(document, given)
        need = "" if one["required"] else " <em>optional</em>"
        told = _inline(one.get("description", ""), "p")
        shape = write_shape(one["schema"])
        yield f"<tr><td><code>{escape(one['name'])}</code>{need}</td><td>{one['in']}</td><td>{shape}{told}</td></tr>"
    yield "</tbody></table>"


def _resolve(document: Json, given: Json) -> Json:
    found: Any = document
    if "$ref" not in given:
        return given
    for part in given["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    resolved: Json = found
    return resolved


def _contents(content: Json) -> Iterator[str]:
    for media, described in content.items():
        shape = write_shape(described.get("schema", {}))
        name = "" if media == PROBLEM_MEDIA else f'<code class="media">{escape(media)}</code> '
        yield f'<div class="content">{name}{shape}</div>'


def _anchor(name: str) -> str:
    return "area-" + name.lower().replace(" ", "-")


def _breakable(path: str) -> str:
    return escape(path).replace("/", "<wbr>/")


def _inline(text: str, tag: str) -> str:
    if not text:
        return ""
    coded = _CODE.sub(r"<code>\1</code>", escape(text, quote=False))
    marked = _STRONG.sub(r"<strong>\1</strong>", coded)
    return f"<{tag}>{marked}</{tag}>"


def _prose(text: str) -> str:
    """Write paragraphs and lists, the only forms the introduction has."""
    parts = []
    for block in text.split("\n\n"):
        lines = block.split("\n")
        if lines[0].startswith("- "):
            parts.append(f"<ul>{''.join(_inline(line[2:], 'li') for line in lines)}</ul>")
        else:
            parts.append(_inline(" ".join(lines), "p"))
    return "".join(parts)
