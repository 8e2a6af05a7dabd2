"""What anybody may read of an asset at the address it bears on chain: what it is for, and nothing of whose it is."""

from __future__ import annotations

from uuid import UUID
from xml.sax.saxutils import escape

from msgspec import Struct

from server.domain.nft import Wish
from server.services.ports_nft import PublicDatabase
from server.services.problems_nft import AssetUnknown
from server.services.rows_nft import PublicAsset

SYMBOL = "TIX"

_PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 600" role="img">
<rect width="600" height="600" fill="#14213d"/><rect x="40" y="170" width="520" height="260" rx="24" fill="#fca311"/>
<circle cx="40" cy="300" r="28" fill="#14213d"/><circle cx="560" cy="300" r="28" fill="#14213d"/>
<text x="300" y="290" font-family="sans-serif" font-size="34" font-weight="bold" text-anchor="middle" fill="#14213d">{title}</text>
<text x="300" y="345" font-family="sans-serif" font-size="24" text-anchor="middle" fill="#14213d">{line}</text>
</svg>
"""
_LONGEST = 28
_STATUS = {Wish.LIVE: "valid", Wish.HELD: "held", Wish.GONE: "void"}


class Attribute(Struct, frozen=True, kw_only=True):
    """One thing a wallet shows of an asset."""

    trait_type: str
    value: str


class AssetFile(Struct, frozen=True, kw_only=True):
    """A file that belongs to an asset."""

    uri: str
    type: str


class Properties(Struct, frozen=True, kw_only=True):
    """What kind of asset it is."""

    category: str
    files: list[AssetFile]


class Metadata(Struct, frozen=True, kw_only=True):
    """An asset's metadata in the form that wallets read (Metaplex token standard)."""

    name: str
    symbol: str
    description: str
    image: str
    attributes: list[Attribute]
    properties: Properties


async def read_metadata(database: PublicDatabase, token: UUID, image: str) -> Metadata:
    """Return an asset's metadata; ``image`` is the address of its picture.

    Raises:
        AssetUnknown: nothing of ours bears it.
    """
    found = await _find(database, token)
    return Metadata(
        name=found.name,
        symbol=SYMBOL,
        description=f"{found.event_name}: {found.type_name}" if found.type_name else found.event_name,
        image=image,
        attributes=_attributes(found),
        properties=Properties(category="image", files=[AssetFile(uri=image, type="image/svg+xml")]),
    )


async def draw_picture(database: PublicDatabase, token: UUID) -> str:
    """Return an asset's picture as SVG.

    Raises:
        AssetUnknown: nothing of ours bears this token.
    """
    found = await _find(database, token)
    return _PICTURE.format(title=escape(_cut(found.event_name)), line=escape(_cut(found.type_name or found.name)))


async def _find(database: PublicDatabase, token: UUID) -> PublicAsset:
    async with database.worker() as unit:
        found = await unit.mints.public(token)
    if found is None:
        raise AssetUnknown("There is no asset at this address.")
    return found


def _attributes(found: PublicAsset) -> list[Attribute]:
    told = {
        "Event": found.event_name,
        "Category": found.type_name,
        "Starts": None if found.starts is None else found.starts.isoformat(),
        "Status": None if found.wish is None else _STATUS[found.wish],
    }
    return [Attribute(trait_type=name, value=value) for name, value in told.items() if value]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
