"""Other services tell of payments and cancelled orders over REST, where no broker is, with the same effect as a message."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

from aiohttp import web
from msgspec import Meta, Struct

from server.api.exchange import read_body, reply
from server.api.routes import SERVICE, Auth, Route
from server.services.context import Context
from server.services.order_messages import Message, OrderCancelled, PaymentCompleted, PaymentFailed, make_message
from server.services.payment_facts import (
    Effect,
    MessageIdReused,
    OrderUnknown,
    PaymentContradicts,
    TenantUnknown,
    take_message,
)
from server.services.ports_bus import is_in_calendar
from server.services.problems import CallInProgress, PaymentReused, PaymentUnverified, ReservationUnknown

Moment = Annotated[datetime, Meta(tz=True)]
CorrelationId = Annotated[str, Meta(min_length=1, max_length=200, pattern="^[!-~]+$")]


class CompletedNotice(
    Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
    tag="payment.completed",
    tag_field="event",
):
    """Money was taken; ``id`` is the notice's own, the same whenever it is sent again."""

    id: UUID
    timestamp: Moment
    payload: PaymentCompleted
    correlation_id: CorrelationId | None = None

    def __post_init__(self) -> None:
        """Refuse a time that cannot be kept."""
        _check_moment(self.timestamp)


class FailedNotice(
    Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
    tag="payment.failed",
    tag_field="event",
):
    """No money was taken."""

    id: UUID
    timestamp: Moment
    payload: PaymentFailed
    correlation_id: CorrelationId | None = None

    def __post_init__(self) -> None:
        """Refuse a time that cannot be kept."""
        _check_moment(self.timestamp)


class CancelledNotice(
    Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
    tag="order.cancelled",
    tag_field="event",
):
    """Somebody else cancelled an order of ours, or a reservation before it became one."""

    id: UUID
    timestamp: Moment
    payload: OrderCancelled
    correlation_id: CorrelationId | None = None

    def __post_init__(self) -> None:
        """Refuse a time that cannot be kept."""
        _check_moment(self.timestamp)


def _check_moment(moment: datetime) -> None:
    if not is_in_calendar(moment):
        raise ValueError("the timestamp lies outside the years 1 to 9999 in UTC")


Notice = CompletedNotice | FailedNotice | CancelledNotice

# A union is no class, though everything that reads or describes bodies takes one.
_NOTICE = cast("type[Notice]", Notice)


class NoticeTaken(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a notice did; ``repeated`` if that was when it first came."""

    id: UUID
    outcome: Effect
    repeated: bool


class PaymentApi:
    """The address for other services."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the address."""
        return [
            Route(
                method="POST",
                path="/internal/payments",
                handler=self.take,
                auth=Auth.SERVICE,
                summary="Tell of a payment or a cancelled order",
                body=_NOTICE,
                answer=NoticeTaken,
                raises=(
                    TenantUnknown,
                    ReservationUnknown,
                    OrderUnknown,
                    MessageIdReused,
                    PaymentContradicts,
                    PaymentUnverified,
                    PaymentReused,
                    CallInProgress,
                ),
            )
        ]

    async def take(self, request: web.Request) -> web.Response:
        """Give a notice its effect, once however often it is sent."""
        notice = await read_body(request, _NOTICE)
        taken = await take_message(self._context, request[SERVICE].tenant, _as_message(notice))
        return reply(NoticeTaken(id=notice.id, outcome=taken.outcome, repeated=taken.repeated))


def _as_message(notice: Notice) -> Message:
    event = str(notice.__struct_config__.tag)
    return make_message(event, str(notice.id), notice.payload, notice.timestamp, notice.correlation_id)
