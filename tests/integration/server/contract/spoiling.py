"""Unsound requests, made from a sound one: what a broken or a hostile client sends."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from tests.integration.server.selling.client import Json

TOO_MUCH = 1024 * 1024 + 1
SCANNED = {"code"}
"""What comes from a scanner may be anything: that it is no ticket is an answer, not a fault."""

_OF_VALUES = (400, 402, 404, 409, 422)


class Spoiled(Struct, frozen=True, kw_only=True):
    """One request that must be refused; ``statuses`` are those with which it may be."""

    what: str
    body: bytes
    media: str = "application/json"
    statuses: tuple[int, ...] = (400,)


def spoil(sound: Json) -> Iterator[Spoiled]:
    """Yield everything that is made of a sound body."""
    encode = msgspec.json.encode
    yield Spoiled(what="a field nobody asked for", body=encode(sound | {"isAdmin": True}))
    yield Spoiled(what="no body", body=b"", statuses=(400, 415))
    yield Spoiled(what="half a body", body=encode(sound)[:-1])
    yield Spoiled(what="two bodies", body=encode(sound) * 2)
    yield Spoiled(what="a list instead", body=b"[]")
    yield Spoiled(what="null instead", body=b"null")
    yield Spoiled(what="no UTF-8", body=encode(sound).replace(b'"', b'"\xff\xfe', 1))
    yield Spoiled(what="UTF-16", body=encode(sound).decode().encode("utf-16"))
    yield Spoiled(what="nesting without end", body=b'{"a":' * 100_000)
    yield Spoiled(what="a number without end", body=b'{"a":' + b"9" * 100_000 + b"}")
    yield Spoiled(what="another form", body=encode(sound), media="text/plain", statuses=(415,))
    yield Spoiled(
        what="XML", body=b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>", media="text/xml", statuses=(415,)
    )
    yield Spoiled(what="more than a megabyte", body=encode(sound | {"x": "a" * TOO_MUCH}), statuses=(413,))
    for name, value in sound.items():
        yield from _spoil_field(sound, name, value)


def _spoil_field(sound: Json, name: str, value: object) -> Iterator[Spoiled]:
    encode = msgspec.json.encode
    wrong: object = 7.5 if isinstance(value, str | list | dict) else "seven"
    yield Spoiled(what=f"{name} of another type", body=encode(sound | {name: wrong}))
    yield Spoiled(what=f"{name} as an object", body=encode(sound | {name: {"$ne": None}}))
    if isinstance(value, str):
        yield Spoiled(
            what=f"{name} of 100,000 letters", body=encode(sound | {name: "a" * 100_000}), statuses=(400, 404)
        )
        if name not in SCANNED:
            yield Spoiled(what=f"{name} with NUL", body=encode(sound | {name: value + "\0"}), statuses=_OF_VALUES)
        lone = encode(sound | {name: "@@"}).replace(b"@@", b"\\ud800")
        yield Spoiled(what=f"{name} with half a character", body=lone)
    if isinstance(value, list):
        yield Spoiled(what=f"{name} of 101 items", body=encode(sound | {name: value * 101}))
        yield Spoiled(what=f"{name} with null in it", body=encode(sound | {name: [None]}))
    if isinstance(value, int) and not isinstance(value, bool):
        for number in (-1, 2**31, 2**63, 2**64, 10**30):
            yield Spoiled(
                what=f"{name} of {number}", body=b"".join(_with_number(sound, name, number)), statuses=(400, 409, 422)
            )


def _with_number(sound: Json, name: str, number: int) -> Iterator[bytes]:
    """Write a number as it is, however long."""
    yield msgspec.json.encode(sound | {name: "@number@"}).replace(b'"@number@"', str(number).encode())
