"""What putting so many tickets on chain costs, before anybody pays it."""

from __future__ import annotations

from msgspec import Struct
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.keypair import Keypair

from server.chain.composing import (
    MINT_LAMPORTS,
    SIGNATURE_LAMPORTS,
    TRANSFER_LAMPORTS,
    Target,
    Wanted,
    compose_mints,
)
from server.chain.merkle import Shape
from server.chain.metadata import Metadata
from server.chain.signing import Keys, MemorySigner
from server.chain.tables import shared_accounts, table_bytes
from shared.problems import InputUnusable

LAMPORTS_PER_BYTE = 6_960
OVERHEAD_BYTES = 128
SPARE = 1.25
"""Reissued tickets are new mints, and what is burned gives no place back."""

_SHAPES = (
    Shape(depth=14, buffer=64, canopy=8),
    Shape(depth=17, buffer=64, canopy=8),
    Shape(depth=20, buffer=64, canopy=10),
)
_MOST = 2_000_000
_COLLECTION_BYTES, _NONCE_BYTES, _TABLE_BYTES = 305, 80, table_bytes(7)


class Estimate(Struct, frozen=True, kw_only=True):
    """Lamports by what they are for; ``later_transfer`` is for each ticket handed on, ``later_burn`` for freezing and burning."""

    tickets: int
    version: int
    depth: int
    buffer: int
    canopy: int
    capacity: int
    mints_per_transaction: int
    transactions: int
    tree: int
    setup: int
    signatures: int
    protocol: int
    priority: int
    total: int
    per_ticket: float
    later_transfer: int
    later_burn: int


class Assumed(Struct, frozen=True, kw_only=True):
    """What the figures assume: the version of Bubblegum, the length of metadata's addresses, and what is paid to be taken soon."""

    version: int = 2
    uri_bytes: int = 49
    price: int = 1_000
    nonces: int = 16


def estimate(tickets: int, assumed: Assumed) -> Estimate:
    """Return what so many tickets cost, with rent as it was in June 2026 and distinct owners throughout.

    Raises:
        InputUnusable: there is no tree for so many.
    """
    shape = choose_shape(tickets)
    second = assumed.version == 2
    per, units = _fit(assumed)
    transactions = -(-tickets // per)
    tree = rent(shape.account_bytes)
    setup = (rent(_COLLECTION_BYTES) if second else 0) + assumed.nonces * rent(_NONCE_BYTES) + rent(_TABLE_BYTES)
    signatures = transactions * 2 * SIGNATURE_LAMPORTS
    protocol = tickets * MINT_LAMPORTS if second else 0
    priority = transactions * -(-units * assumed.price // 1_000_000)
    total = tree + setup + signatures + protocol + priority
    return Estimate(
        tickets=tickets,
        version=assumed.version,
        depth=shape.depth,
        buffer=shape.buffer,
        canopy=shape.canopy,
        capacity=shape.capacity,
        mints_per_transaction=per,
        transactions=transactions,
        tree=tree,
        setup=setup,
        signatures=signatures,
        protocol=protocol,
        priority=priority,
        total=total,
        per_ticket=round(total / tickets, 1),
        later_transfer=2 * SIGNATURE_LAMPORTS + (TRANSFER_LAMPORTS if second else 0),
        later_burn=(4 if second else 2) * SIGNATURE_LAMPORTS,
    )


def choose_shape(tickets: int) -> Shape:
    """Return the smallest usual tree for so many tickets and some to spare.

    Raises:
        InputUnusable: there is none.
    """
    if not 1 <= tickets <= _MOST:
        raise InputUnusable(f"Estimates are for 1 to {_MOST} tickets.")
    wanted = tickets * SPARE
    # A large house takes a tree that is almost full rather than none: the worker makes another when it is.
    return next((one for one in _SHAPES if one.capacity >= wanted), _SHAPES[-1])


def rent(size: int) -> int:
    """Return the lamports that an account of so many bytes has to hold."""
    return (size + OVERHEAD_BYTES) * LAMPORTS_PER_BYTE


def _fit(assumed: Assumed) -> tuple[int, int]:
    """Return how many mints fit into one transaction, found by putting one together, and its compute units."""
    own = [MemorySigner(Keypair.from_seed(bytes([n]) * 32)) for n in range(1, 21)]
    keys = Keys(payer=own[0], minter=own[1], operator=own[2])
    collection = own[3].address if assumed.version == 2 else None
    metadata = Metadata(name="x" * 20, symbol="TIX", uri="x" * assumed.uri_bytes, collection=collection)
    wanted = [Wanted(owner=one.address, metadata=metadata) for one in own[6:]]
    shared = shared_accounts(own[4].address, assumed.version, collection)
    table = AddressLookupTableAccount(key=own[5].address, addresses=shared)
    target = Target(tree=own[4].address, version=assumed.version, table=table)
    draft = compose_mints(keys, target, wanted, assumed.price).draft
    return len(draft.instructions), draft.budget.units
