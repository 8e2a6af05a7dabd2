"""What the stores hand out and take: one frozen struct per stored thing, the same on every side of a port."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from server.domain.nft import NftMode
from server.domain.rules import RefundRules, TransferRules
from shared.admission.policy import Policy
from shared.ids import EventId, OrderId, ReservationId, TenantId, TicketId, TicketTypeId, TransferId, UserId, VenueId
from shared.tickets.lifecycle import Actor, State


class EventState(StrEnum):
    """Where an event is in its life; only an open one sells."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class ReservationState(StrEnum):
    """Where a reservation is in its life; only a pending one holds stock."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class TransferState(StrEnum):
    """Where an offer to hand a ticket over is in its life."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Page(Struct, frozen=True, kw_only=True):
    """Where a listing goes on: after the row ``after`` (None: from the start), at most ``limit`` rows."""

    after: UUID | None = None
    limit: int = 20


class ActorRef(Struct, frozen=True, kw_only=True):
    """Who caused a step: the kind of party, and an id, never a name."""

    kind: Actor
    id: str


class VenueRow(Struct, frozen=True, kw_only=True):
    """A place where events happen."""

    tenant: TenantId
    id: VenueId
    name: str


class EventRow(Struct, frozen=True, kw_only=True):
    """An event. Key epoch n runs from ``epoch_zero`` + n * ``epoch_s`` seconds; codes turn over every ``slot_s`` seconds.

    ``key_series`` grows when epoch keys are replaced. From ``bundle_version`` ``config_since`` on its gates are told to
    believe config key ``config``. ``version`` grows with every change an organiser makes.
    """

    tenant: TenantId
    id: EventId
    venue_id: VenueId
    name: str
    state: EventState
    policy: Policy
    sale_starts: datetime
    sale_ends: datetime
    max_per_user: int
    slot_s: int
    epoch_zero: datetime
    epoch_s: int
    reveal_at: datetime
    bundle_version: int
    key_series: int = 0
    config: int = 1
    config_since: int = 1
    version: int = 1
    transfer_rules: TransferRules = TransferRules()
    refund_rules: RefundRules = RefundRules()
    nft: NftMode = NftMode.OFF


class TicketTypeRow(Struct, frozen=True, kw_only=True):
    """What an event sells, and its stock: available + reserved + sold = total.

    Every place of a ``seated`` type is a ticket with a seat's label from the start.
    """

    tenant: TenantId
    id: TicketTypeId
    event: EventId
    product: int
    name: str
    price_cents: int
    currency: str
    zones: int
    entries: int
    code_policy: int
    max_per_order: int
    total: int
    available: int
    reserved: int
    sold: int
    seated: bool = False
    version: int = 1


class ReservationRow(Struct, frozen=True, kw_only=True):
    """Stock held for a user until ``expires_at``."""

    tenant: TenantId
    id: ReservationId
    event: EventId
    user: UserId
    state: ReservationState
    total_cents: int
    currency: str
    expires_at: datetime


class ReservationLine(Struct, frozen=True, kw_only=True):
    """So many of one ticket type, at the price of the moment."""

    ticket_type: TicketTypeId
    quantity: int
    price_cents: int


class OrderRow(Struct, frozen=True, kw_only=True):
    """A paid reservation."""

    tenant: TenantId
    id: OrderId
    reservation: ReservationId
    user: UserId
    payment_id: str
    total_cents: int
    currency: str
    created_at: datetime


class TicketRow(Struct, frozen=True, kw_only=True):
    """A ticket. ``version`` grows with every change, ``generation`` whenever all codes made before must die.

    ``master`` is the number of the tenant's master secret that this generation's handle and seed come from; 0 is none.
    """

    tenant: TenantId
    id: TicketId
    event: EventId
    ticket_type: TicketTypeId
    order: OrderId | None
    owner: UserId | None
    holder_name: str
    seat: str
    state: State
    generation: int
    version: int
    locked: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    master: int = 0

    def __repr__(self) -> str:
        """Keep the holder's name out of logs."""
        return f"TicketRow(id={self.id}, state={self.state}, generation={self.generation}, version={self.version})"


class HandleRow(Struct, frozen=True, kw_only=True):
    """The 16-byte hash under which gates know one generation of a ticket, and the number of the master it comes from."""

    event: EventId
    handle_hash: bytes
    ticket: TicketId
    generation: int
    master: int = 0


class HistoryRow(Struct, frozen=True, kw_only=True):
    """One step of a ticket's life; ``from_state`` is None for its first."""

    ticket: TicketId
    version: int
    from_state: State | None
    to_state: State
    generation: int
    actor: ActorRef
    reason: str | None
    source: str
    at: datetime


class TransferRow(Struct, frozen=True, kw_only=True):
    """An offer of a ticket to whoever proves to own an e-mail address (lower case)."""

    tenant: TenantId
    id: TransferId
    ticket: TicketId
    from_user: UserId
    recipient_email: str
    message: str
    state: TransferState
    to_user: UserId | None
    expires_at: datetime
    created_at: datetime

    def __repr__(self) -> str:
        """Keep the address and the message out of logs."""
        return f"TransferRow(id={self.id}, ticket={self.ticket}, state={self.state})"


class KeyKind(StrEnum):
    """What a tenant's stored key is for."""

    MASTER = "master"
    CONFIG = "config"


class TenantKeyRow(Struct, frozen=True, kw_only=True):
    """A tenant's key, wrapped; ``public`` is the public half of a config key."""

    id: int
    kind: KeyKind
    wrapped: bytes
    public: bytes | None

    def __repr__(self) -> str:
        """Keep even wrapped keys out of logs."""
        return f"TenantKeyRow(kind={self.kind}, id={self.id})"


class EpochRow(Struct, frozen=True, kw_only=True):
    """The keys of one epoch of one event, wrapped; only the issuer's public key is in the clear."""

    event: EventId
    epoch: int
    starts: datetime
    ends: datetime
    slot_s: int
    envelope_wrapped: bytes
    issuer_wrapped: bytes
    issuer_public: bytes

    def __repr__(self) -> str:
        """Keep even wrapped keys out of logs."""
        return f"EpochRow(event={self.event}, epoch={self.epoch})"


class ReplacedEpochRow(Struct, frozen=True, kw_only=True):
    """A key that was replaced within its epoch: it opens codes until ``accepted_until`` (None: to the end), and makes none."""

    id: int
    event: EventId
    epoch: int
    starts: datetime
    ends: datetime
    slot_s: int
    envelope_wrapped: bytes
    issuer_public: bytes
    accepted_until: datetime | None

    def __repr__(self) -> str:
        """Keep even wrapped keys out of logs."""
        return f"ReplacedEpochRow(event={self.event}, epoch={self.epoch}, id={self.id})"


class StoredAnswer(Struct, frozen=True, kw_only=True):
    """The kept answer to a call that must not happen twice; ``body_hash`` is SHA-256 of the canonical request."""

    body_hash: bytes
    status: int
    response: bytes
