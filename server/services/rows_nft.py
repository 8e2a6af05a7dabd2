"""What the stores hand out and take of assets on chain."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from server.domain.nft import AssetState, NftMode, Wish
from server.services.rows import EventState
from shared.ids import EventId, TicketId, UserId


class Standing(Struct, frozen=True, kw_only=True):
    """What a sale must know of its event, and hold."""

    state: EventState
    nft: NftMode


class WishRow(Struct, frozen=True, kw_only=True):
    """What is wished of a ticket's asset from now on; ``owner`` None: it lies with the organiser."""

    ticket: TicketId
    event: EventId
    wish: Wish
    owner: UserId | None


class AssetRow(Struct, frozen=True, kw_only=True):
    """A ticket's asset as far as it is; addresses are Base58 and None until the chain has said them."""

    ticket: TicketId
    state: AssetState
    wish: Wish
    problem: str | None
    asset: str | None
    tree: str | None
    leaf_index: int | None
    owner: str | None
    elsewhere: bool
    uri: str | None
    signature: str | None
    network: str | None
    minted_at: datetime | None


class AssetCount(Struct, frozen=True, kw_only=True):
    """So many assets of an event are in a state."""

    state: AssetState
    count: int
    elsewhere: int


class PublicAsset(Struct, frozen=True, kw_only=True):
    """What anybody may read of an asset: nothing of whoever holds the ticket."""

    name: str
    event_name: str
    type_name: str | None
    starts: datetime | None
    wish: Wish | None
