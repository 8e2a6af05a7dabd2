"""Our structs as the schemas of OpenAPI 3.1, named as the wire names them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import UnionType
from typing import Any, get_args

import msgspec
from msgspec import Struct
from msgspec import inspect as kinds

Json = dict[str, Any]
"""A part of the document, on its way out."""

REFERENCE = "#/components/schemas/"

_NAME = re.compile(r"``([^`]+)``")
_NOTHING = re.compile(r"\bNone\b")


class Schemas:
    """The schemas of all the types a document speaks of, made together so that equal names stay apart."""

    def __init__(self, types: Iterable[object]) -> None:
        wanted = list(dict.fromkeys(part for kind in types for part in split(kind)))
        made = msgspec.json.schema_components(wanted, ref_template=REFERENCE + "{name}")
        given, components = _shorten_names(list(made[0]), made[1])
        self.components: dict[str, Json] = components
        self._given: dict[object, Json] = dict(zip(wanted, given, strict=True))
        for struct in _structs(wanted):
            self._polish(struct)

    def of(self, kind: object) -> Json:
        """Return the schema of a type that was announced."""
        parts = [self._given[part] for part in split(kind)]
        return parts[0] if len(parts) == 1 else {"anyOf": parts}

    def fields(self, kind: type) -> list[tuple[str, bool, Json]]:
        """Return a struct's fields: name on the wire, whether it must be there, and its schema."""
        schema = self._find(kind)
        required = set(schema.get("required", ()))
        return [(name, name in required, inner) for name, inner in schema["properties"].items()]

    def drop(self, kind: type) -> None:
        """Take out a struct that is written down elsewhere, as parameters are."""
        self.components.pop(self.of(kind)["$ref"].removeprefix(REFERENCE), None)

    def _find(self, kind: type) -> Json:
        found: Json = self.components[self.of(kind)["$ref"].removeprefix(REFERENCE)]
        return found

    def _polish(self, struct: kinds.StructType) -> None:
        """Say of times that they are times, and name fields as the wire does."""
        kind = struct.cls
        schema = self.components.get(kind.__name__) or self.components.get(_short(f"{kind.__module__}.{kind.__name__}"))
        if schema is None or "properties" not in schema:
            return
        names = {one.name: one.encode_name for one in struct.fields}
        for field in struct.fields:
            _mark_time(field.type, schema["properties"][field.encode_name])
        if "description" in schema:
            schema["description"] = plain(schema["description"], names)


def _shorten_names(given: list[Json], components: dict[str, Json]) -> tuple[list[Json], dict[str, Json]]:
    """Name types of equal names by their job and not by where they lie in the program."""
    encoded = msgspec.json.encode((given, components)).decode()
    for name in components:
        encoded = encoded.replace(f'{REFERENCE}{name}"', f'{REFERENCE}{_short(name)}"')
    given, components = msgspec.json.decode(encoded, type=tuple[list[Json], dict[str, Json]])
    return given, {_short(name): schema for name, schema in components.items()}


def _short(name: str) -> str:
    *_, module, kind = ["", *name.split(".")]
    return "".join(word.capitalize() for word in module.split("_")) + kind


def split(kind: object) -> tuple[object, ...]:
    """Return the structs an answer may be one of; nothing tells them apart but their fields."""
    parts = get_args(kind) if isinstance(kind, UnionType) else ()
    plain_structs = all(isinstance(one, type(Struct)) and one.__struct_config__.tag is None for one in parts)
    return parts if parts and plain_structs else (kind,)


def plain(text: str, names: Mapping[str, str] | None = None) -> str:
    """Return a docstring for readers of the wire: fields under their names there, and JSON's word for nothing."""
    known = names or {}
    joined = " ".join(text.split())
    marked = _NAME.sub(lambda found: f"`{known.get(found[1], found[1])}`", joined)
    return _NOTHING.sub("null", marked)


def first_sentence(text: str | None) -> str:
    """Return the first sentence of a docstring."""
    return plain((text or "").strip().partition("\n\n")[0])


def _mark_time(kind: kinds.Type, schema: Json) -> None:
    if isinstance(kind, kinds.DateTimeType):
        schema["format"] = "date-time"
    elif isinstance(kind, kinds.UnionType):
        for inner, part in zip(kind.types, schema.get("anyOf", ()), strict=False):
            _mark_time(inner, part)
    elif isinstance(kind, kinds.ListType | kinds.VarTupleType):
        _mark_time(kind.item_type, schema.get("items", {}))
    elif isinstance(kind, kinds.Metadata):
        _mark_time(kind.type, schema)


def _structs(types: Iterable[object]) -> Iterator[kinds.StructType]:
    """Yield every struct that can be reached, each once."""
    seen: set[int] = set()
    waiting = list(kinds.multi_type_info(types))
    while waiting:
        kind = waiting.pop()
        if id(kind) in seen:
            continue
        seen.add(id(kind))
        if isinstance(kind, kinds.StructType):
            yield kind
            waiting += [field.type for field in kind.fields]
        waiting += _inner(kind)


def _inner(kind: kinds.Type) -> list[kinds.Type]:
    if isinstance(kind, kinds.UnionType):
        return list(kind.types)
    if isinstance(kind, kinds.DictType):
        return [kind.value_type]
    if isinstance(kind, kinds.ListType | kinds.VarTupleType):
        return [kind.item_type]
    return [kind.type] if isinstance(kind, kinds.Metadata) else []
