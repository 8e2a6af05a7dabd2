"""A JSON schema as a reader takes it in: fields in a table, types by their names, bounds in a few words."""

from __future__ import annotations

from html import escape

from server.api.openapi_types import REFERENCE, Json

_BOUNDS = (
    ("minimum", "from {}"),
    ("maximum", "to {}"),
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minItems", "at least {}"),
    ("maxItems", "at most {}"),
)
_MANY_VALUES = 40


def write_shape(schema: Json) -> str:
    """Return a schema as HTML."""
    if schema.get("type") == "object" and "properties" in schema:
        return _table(schema)
    return f'<span class="type">{_name(schema)}</span>{_bounds(schema)}'


def _table(schema: Json) -> str:
    required = set(schema.get("required", ()))
    rows = [
        f"<tr><td><code>{escape(name)}</code>{'' if name in required else ' <em>optional</em>'}</td>"
        f"<td>{write_shape(inner)}{_default(inner)}</td></tr>"
        for name, inner in schema["properties"].items()
    ]
    return f"<table><thead><tr><th>Field</th><th>What</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _name(schema: Json) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].removeprefix(REFERENCE))
        return f'<a href="#type-{name}">{name}</a>'
    if "allOf" in schema:
        return _name(schema["allOf"][0])
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " or ".join(_name(one) + _bounds(one) for one in schema[word])
    if "enum" in schema:
        shown = [f"<code>{escape(str(value))}</code>" for value in schema["enum"][:_MANY_VALUES]]
        return "one of " + ", ".join(shown)
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    return _plain_name(schema)


def _plain_name(schema: Json) -> str:
    kind = schema.get("type")
    if kind == "array":
        return "list of " + (_name(schema["items"]) + _bounds(schema["items"]) if "items" in schema else "anything")
    if kind == "object":
        inner = schema.get("additionalProperties")
        return "object of " + _name(inner) if isinstance(inner, dict) else "object"
    if kind is None:
        return "bytes"
    return escape(schema.get("format") or str(kind))


def _bounds(schema: Json) -> str:
    said = [text.format(f"{schema[name]:,}") for name, text in _BOUNDS if name in schema]
    if "pattern" in schema:
        said.append(f"like <code>{escape(schema['pattern'])}</code>")
    return f' <span class="bounds">({", ".join(said)})</span>' if said else ""


def _default(schema: Json) -> str:
    if schema.get("default") in (None, [], {}):
        return ""
    return f' <span class="bounds">otherwise <code>{escape(str(schema["default"]))}</code></span>'
