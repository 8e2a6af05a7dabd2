"""How far a ticket's asset is, as its holder and its organiser see it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from server.domain.access import User
from server.domain.nft import AssetState, NftMode
from server.services.context import Context
from server.services.problems import EventUnknown
from server.services.rows_nft import AssetRow
from shared.ids import EventId


class NftView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A ticket's asset. Entry never depends on it.

    Addresses are Base58, null until the chain has said them. ``network`` is the chain they are on: anything but ``mainnet``
    is for trying out. ``elsewhere``: its holder moved it to a wallet of their own, which the ticket does not follow.
    """

    status: AssetState
    network: str | None
    asset: str | None
    tree: str | None
    leaf_index: int | None
    owner: str | None
    elsewhere: bool
    metadata_url: str | None
    signature: str | None
    minted_at: datetime | None


class EventNfts(Struct, frozen=True, kw_only=True, rename="camel"):
    """How many of an event's assets are in which state; ``elsewhere`` of them were moved by their holders."""

    event_id: EventId
    mode: NftMode
    total: int
    on_chain: int
    elsewhere: int
    by_status: dict[AssetState, int]


_ON_CHAIN = frozenset(AssetState) - {
    AssetState.QUEUED,
    AssetState.ASSIGNED,
    AssetState.SENT,
    AssetState.RETRYABLE,
    AssetState.DEAD,
    AssetState.BURNED,
}


def view_asset(row: AssetRow | None) -> NftView | None:
    """Return an asset as its holder sees it; None where there is none."""
    if row is None:
        return None
    return NftView(
        status=row.state,
        network=row.network,
        asset=row.asset,
        tree=row.tree,
        leaf_index=row.leaf_index,
        owner=row.owner,
        elsewhere=row.elsewhere,
        metadata_url=row.uri,
        signature=row.signature,
        minted_at=row.minted_at,
    )


async def read_event_nfts(context: Context, user: User, event_id: EventId) -> EventNfts:
    """Return how far an event's assets are.

    Raises:
        EventUnknown: none of this tenant's.
    """
    async with context.db.tenant(user.tenant) as tx:
        event = await tx.events.get(event_id)
        counts = await tx.assets.count(event_id)
    if event is None:
        raise EventUnknown("There is no such event.")
    return EventNfts(
        event_id=event_id,
        mode=event.nft,
        total=sum(one.count for one in counts),
        on_chain=sum(one.count for one in counts if one.state in _ON_CHAIN),
        elsewhere=sum(one.elsewhere for one in counts),
        by_status={one.state: one.count for one in counts},
    )
