"""What the mint worker and the store hand one another: addresses, keys and signatures are Base58 text, hashes bytes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from shared.ids import EventId, TenantId, TicketId, UserId


class TxKind(StrEnum):
    """What a transaction is for."""

    MINT = "mint"
    TRANSFER = "transfer"
    UPDATE = "update"
    """Changes what an asset is called."""
    FREEZE = "freeze"
    THAW = "thaw"
    BURN = "burn"
    CANCEL = "cancel"
    """Uses up a durable nonce, so that nothing else signed under its value can land any more."""
    TREE = "tree"
    COLLECTION = "collection"
    TABLE = "table"
    """Makes a tree's lookup table."""


class TxState(StrEnum):
    """How far a transaction is. Failed: it landed and did nothing. Void: it can never land."""

    SIGNED = "signed"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FINALIZED = "finalized"
    FAILED = "failed"
    VOID = "void"


class DueAsset(Struct, frozen=True, kw_only=True):
    """An asset that something is to be done about; ``name`` and ``uri`` are set once it was planned for the first time.

    ``wish_name``: what it is to be called, None for what it is called already.
    """

    tenant: TenantId
    ticket: TicketId
    event: EventId
    event_name: str
    token: UUID
    action: TxKind
    wish_owner: UserId | None
    held_by: UserId | None
    tries: int
    tree: str | None
    leaf_index: int | None
    name: str | None
    uri: str | None
    wish_name: str | None


class PlannedAsset(Struct, frozen=True, kw_only=True):
    """An asset as a transaction about to be sent will leave it."""

    ticket: TicketId
    held_by: UserId | None
    name: str
    uri: str
    data_hash: bytes


class NewTx(Struct, frozen=True, kw_only=True):
    """A signed transaction, to be kept before it is sent; either under a nonce or good up to a block's height."""

    tenant: TenantId
    kind: TxKind
    tree: str | None
    version: int
    network: str
    tickets: list[TicketId]
    raw: bytes
    signature: str
    nonce: str | None
    nonce_value: bytes | None
    last_height: int | None
    lamports: int
    created_at: datetime
    new_name: str | None = None


class TxRow(Struct, frozen=True, kw_only=True):
    """A transaction that is not over.

    ``doubted``: it was refused or failed, and it must be certain that it cannot land. ``followed``: its tree told of it.
    """

    tenant: TenantId
    id: int
    kind: TxKind
    tree: str | None
    tickets: list[TicketId]
    raw: bytes
    signature: str
    nonce: str | None
    nonce_value: bytes | None
    last_height: int | None
    state: TxState
    doubted: bool
    followed: bool
    remedy: str | None
    problem: str | None
    sent_at: datetime | None
    created_at: datetime


class NonceRow(Struct, frozen=True, kw_only=True):
    """A durable nonce; ``value`` None: it is to be read anew, and must not be ``spent``."""

    address: str
    state: str
    raw: bytes
    signature: str
    last_height: int
    lamports: int
    created_at: datetime
    value: bytes | None
    spent: bytes | None
    tx_id: int | None


class TreeRow(Struct, frozen=True, kw_only=True):
    """A tenant's tree; ``assigned`` mints were signed for it that landed or may, ``seq`` is the last write followed."""

    tenant: TenantId
    address: str
    version: int
    depth: int
    buffer: int
    canopy: int
    state: str
    assigned: int
    seq: int
    last_signature: str | None
    problem: str | None

    @property
    def room(self) -> int:
        """Return how many more mints may be signed for it."""
        return (1 << self.depth) - self.assigned


class TableRow(Struct, frozen=True, kw_only=True):
    """A tree's lookup table."""

    tenant: TenantId
    tree: str
    address: str
    state: str


class CollectionRow(Struct, frozen=True, kw_only=True):
    """A tenant's collection."""

    tenant: TenantId
    address: str
    name: str
    uri: str
    state: str


class LeafRow(Struct, frozen=True, kw_only=True):
    """A leaf as the tree's own writes tell it; a hash of zeros: burned."""

    index: int
    asset: str
    owner: str
    delegate: str
    data_hash: bytes
    creator_hash: bytes
    collection_hash: bytes | None
    flags: int
    hash: bytes
    seq: int
    signature: str


class Followed(Struct, frozen=True, kw_only=True):
    """What following a tree found: leaves as they are since then, in the order of their writes, and how far it came."""

    tenant: TenantId
    tree: str
    leaves: list[LeafRow]
    seq: int
    last_signature: str | None
    at: datetime


class DeadAsset(Struct, frozen=True, kw_only=True):
    """An asset that was given up, for a person to look at."""

    tenant: TenantId
    ticket: TicketId
    event: EventId
    action: str
    problem: str | None
    tries: int


class UntoldTicket(Struct, frozen=True, kw_only=True):
    """A ticket that waits for its mint, and has it."""

    tenant: TenantId
    event: EventId
    ticket: TicketId


class Orphan(Struct, frozen=True, kw_only=True):
    """A leaf that is no ticket's; ``twin``: of a ticket that has another."""

    tree: str
    index: int
    asset: str
    owner: str
    twin: bool


class KnownAsset(Struct, frozen=True, kw_only=True):
    """An asset as we believe it to be, to be compared with what others say of it."""

    asset: str
    owner: str
    flags: int
    tree: str
    leaf_index: int
    state: str
    hash: bytes
