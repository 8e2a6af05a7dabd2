"""What is minted: a ticket's public metadata, its limits, and its bytes for both versions of Bubblegum."""

from __future__ import annotations

from msgspec import Struct
from solders.pubkey import Pubkey

from server.chain import borsh
from shared.problems import InputUnusable

NAME_BYTES = 32
SYMBOL_BYTES = 10
URI_BYTES = 200
MOST_CREATORS = 5
WHOLE_SHARE = 100
WHOLE_FEE = 10_000
_NON_FUNGIBLE = 0


class MetadataUnusable(InputUnusable):
    """The program on chain would refuse this metadata."""

    code = "nft_metadata_unusable"


class Creator(Struct, frozen=True, kw_only=True):
    """Who made it; a verified one signs the mint. Shares are in percent and sum to 100."""

    address: Pubkey
    verified: bool
    share: int

    def write(self) -> bytes:
        """Return address, flag and share: 34 bytes, the same in arguments and in hashes."""
        return bytes(self.address) + borsh.boolean(self.verified) + borsh.u8(self.share)


class Metadata(Struct, frozen=True, kw_only=True):
    """Public for ever: no personal data in any field. ``fee_points`` is the royalty in hundredths of a percent.

    Raises:
        MetadataUnusable: a limit of the program is passed.
    """

    name: str
    symbol: str
    uri: str
    fee_points: int = 0
    primary_sale: bool = False
    mutable: bool = True
    creators: tuple[Creator, ...] = ()
    collection: Pubkey | None = None

    def __post_init__(self) -> None:
        """Refuse what the program would refuse, before anything is queued."""
        fits = {
            f"the name has more than {NAME_BYTES} bytes": len(self.name.encode()) <= NAME_BYTES,
            f"the symbol has more than {SYMBOL_BYTES} bytes": len(self.symbol.encode()) <= SYMBOL_BYTES,
            f"the address has more than {URI_BYTES} bytes": len(self.uri.encode()) <= URI_BYTES,
            "the royalty is not between 0 and 100 percent": 0 <= self.fee_points <= WHOLE_FEE,
            f"there are more than {MOST_CREATORS} creators": len(self.creators) <= MOST_CREATORS,
            "the creators' shares do not sum to 100": not self.creators or _shares(self.creators) == WHOLE_SHARE,
            "a creator is named twice": len({one.address for one in self.creators}) == len(self.creators),
        }
        faults = [fault for fault, fit in fits.items() if not fit]
        if faults:
            raise MetadataUnusable(f"This cannot be minted: {', '.join(faults)}.")

    def write_v2(self) -> bytes:
        """Return MetadataArgsV2."""
        return (
            self._head()
            + borsh.option(_NON_FUNGIBLE, borsh.u8)
            + borsh.vector(self.creators, Creator.write)
            + borsh.option(self.collection, bytes)
        )

    def write_v1(self) -> bytes:
        """Return MetadataArgs of version 1: no edition, no uses, the original token program.

        A collection is left out: version 1 knows it only as a Token Metadata NFT.
        """
        nothing = borsh.u8(0)
        return (
            self._head()
            + nothing
            + borsh.option(_NON_FUNGIBLE, borsh.u8)
            + nothing
            + nothing
            + borsh.u8(0)
            + borsh.vector(self.creators, Creator.write)
        )

    def _head(self) -> bytes:
        return (
            borsh.string(self.name)
            + borsh.string(self.symbol)
            + borsh.string(self.uri)
            + borsh.u16(self.fee_points)
            + borsh.boolean(self.primary_sale)
            + borsh.boolean(self.mutable)
        )


class MetadataChange(Struct, frozen=True, kw_only=True):
    """What an update changes; None stays."""

    name: str | None = None
    symbol: str | None = None
    uri: str | None = None
    creators: tuple[Creator, ...] | None = None
    fee_points: int | None = None
    primary_sale: bool | None = None
    mutable: bool | None = None

    def write(self) -> bytes:
        """Return UpdateArgs."""
        return (
            borsh.option(self.name, borsh.string)
            + borsh.option(self.symbol, borsh.string)
            + borsh.option(self.uri, borsh.string)
            + borsh.option(self.creators, lambda all_of_them: borsh.vector(all_of_them, Creator.write))
            + borsh.option(self.fee_points, borsh.u16)
            + borsh.option(self.primary_sale, borsh.boolean)
            + borsh.option(self.mutable, borsh.boolean)
        )


def _shares(creators: tuple[Creator, ...]) -> int:
    return sum(one.share for one in creators)
