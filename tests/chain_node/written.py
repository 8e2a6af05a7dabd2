"""Arguments of Bubblegum and MPL Core read back from their bytes, as the programs read them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct
from solders.pubkey import Pubkey

from server.chain.metadata import Creator, Metadata, MetadataChange

TRANSFER_RIGHT, UPDATE_RIGHT = 7, 4
_LIST_BODY, _FLAG_BODY = 4, 5
_ADDRESS = 3

T = TypeVar("T")


class Cursor:
    """Bytes read from their beginning."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        found = self.data[self.at : self.at + size]
        assert len(found) == size, "the arguments end too early"
        self.at += size
        return found

    def number(self, size: int) -> int:
        """Return the next number, little endian."""
        return int.from_bytes(self.take(size), "little")

    def flag(self) -> bool:
        """Return the next byte, which is 0 or 1."""
        found = self.number(1)
        assert found in (0, 1), "a flag is 0 or 1"
        return bool(found)

    def text(self) -> str:
        """Return the next text."""
        return self.take(self.number(4)).decode()

    def maybe(self, read: Callable[[], T]) -> T | None:
        """Return the next value, None where there is none."""
        return read() if self.flag() else None

    def creators(self) -> tuple[Creator, ...]:
        """Return the next list of creators."""
        return tuple(
            Creator(address=Pubkey(self.take(32)), verified=self.flag(), share=self.number(1))
            for _ in range(self.number(4))
        )


def read_metadata(cursor: Cursor, version: int) -> Metadata:
    """Read MetadataArgs of either version."""
    name, symbol, uri = cursor.text(), cursor.text(), cursor.text()
    fee, sold, mutable = cursor.number(2), cursor.flag(), cursor.flag()
    if version == 1:
        assert not cursor.flag(), "there are no editions"
    assert cursor.flag(), "a token standard is named"
    assert cursor.number(1) == 0, "the token standard is the non-fungible one"
    if version == 1:
        assert cursor.take(3) == bytes(3), "no collection, no uses, the original token program"
    creators = cursor.creators()
    collection = Pubkey(cursor.take(32)) if version == 2 and cursor.flag() else None
    return Metadata(
        name=name,
        symbol=symbol,
        uri=uri,
        fee_points=fee,
        primary_sale=sold,
        mutable=mutable,
        creators=creators,
        collection=collection,
    )


def read_change(cursor: Cursor) -> MetadataChange:
    """Read UpdateArgs."""
    return MetadataChange(
        name=cursor.maybe(cursor.text),
        symbol=cursor.maybe(cursor.text),
        uri=cursor.maybe(cursor.text),
        creators=cursor.maybe(cursor.creators),
        fee_points=cursor.maybe(lambda: cursor.number(2)),
        primary_sale=cursor.maybe(cursor.flag),
        mutable=cursor.maybe(cursor.flag),
    )


class Proven(Struct, frozen=True, kw_only=True):
    """What a change claims of the leaf it changes; an update claims its metadata instead of its hashes."""

    root: bytes
    data_hash: bytes
    creator_hash: bytes
    flags: int
    index: int


def read_proven(data: bytes, version: int) -> Proven:
    """Read the arguments of a transfer, burn, freeze or thaw."""
    cursor = Cursor(data)
    root, data_hash, creator_hash = cursor.take(32), cursor.take(32), cursor.take(32)
    flags = read_flags(cursor) if version == 2 else 0
    return Proven(root=root, data_hash=data_hash, creator_hash=creator_hash, flags=flags, index=read_index(cursor))


def read_flags(cursor: Cursor) -> int:
    """Read the hash of asset data, which there is none of, and the flags."""
    assert not cursor.flag(), "there is no asset data"
    return cursor.number(1) if cursor.flag() else 0


def read_index(cursor: Cursor) -> int:
    """Read nonce and index, which are one number."""
    nonce, index = struct.unpack("<QI", cursor.take(12))
    assert nonce == index, "an asset lies where it was minted"
    return int(index)


def read_plugins(data: bytes) -> dict[int, Pubkey | None]:
    """Return a new collection's plugins and who may use each; None: whoever may change the collection."""
    cursor = Cursor(data)
    cursor.take(1)
    cursor.text()
    cursor.text()
    found: dict[int, Pubkey | None] = {}
    for _ in range(cursor.number(4) if cursor.flag() else 0):
        plugin = cursor.number(1)
        cursor.take(32 * cursor.number(4) if plugin == _LIST_BODY else int(plugin == _FLAG_BODY))
        named = cursor.flag() and cursor.number(1) == _ADDRESS
        found[plugin] = Pubkey(cursor.take(32)) if named else None
    return found
