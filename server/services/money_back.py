"""Payments that buy nothing: one whose purchase is refused, and one that nobody ever used, go back by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from server.domain.access import User
from server.services.context import Context
from server.services.payments import Payment, PaymentProvider, PaymentState
from server.services.problems import ReservationSpent
from server.services.refunds_due import return_payment
from server.services.rows import ReservationRow
from server.services.rows_facts import PaymentRow
from shared.ids import ReservationId, TenantId
from shared.problems import TicketTokenError, Unavailable

UNUSED_FOR = timedelta(hours=24)
"""For how long a payment that names no reservation may wait for being used."""
UNUSED = "never_used"

log = structlog.get_logger()


async def return_refused(
    context: Context, payments: PaymentProvider, user: User, asked: tuple[ReservationId, str], refusal: TicketTokenError
) -> bool:
    """Give back what was paid for exactly this reservation of the user's, since it buys nothing any more.

    A payment that bought something, of another sum, or for another reservation stays as it is; so does one of which the
    provider cannot say now whether it is good, and of which nothing was told: it is asked about again when the call is repeated.
    """
    reservation_id, payment_id = asked
    try:
        payment = await payments.fetch(user.tenant, payment_id)
    except Unavailable as problem:
        log.info("money.not_returned", code=problem.code)
        return False
    if payment is None or payment.state is not PaymentState.COMPLETED:
        return False
    reason = "already_paid" if isinstance(refusal, ReservationSpent) else str(refusal.code)
    async with context.db.tenant(user.tenant) as tx:
        known = await tx.inbox.lock_payment(payment_id)
        reservation = await tx.orders.get_reservation(reservation_id)
        if reservation is None or reservation.user != user.user or not _is_for(payment, known, reservation):
            return False
        if await tx.inbox.order_paid_with(payment_id) is not None:
            return False
        paid = PaymentRow(
            payment_id=payment_id,
            state=PaymentState.COMPLETED,
            amount_cents=payment.amount_cents,
            currency=payment.currency,
            reservation=reservation.id,
            told_at=known.told_at if known is not None else context.clock.now(),
        )
        return await return_payment(context, tx, paid, reservation.event, reason)


async def return_unused(context: Context, tenant: TenantId, payment_id: str, now: datetime) -> bool:
    """Give a payment back that was told of long ago and bought nothing; else note that it needs nobody's attention."""
    async with context.db.tenant(tenant) as tx:
        known = await tx.inbox.lock_payment(payment_id)
        if known is None or known.state is not PaymentState.COMPLETED:
            return False
        if await tx.inbox.order_paid_with(payment_id) is not None:
            await tx.refunds.settle(payment_id)
            return False
        reservation = None if known.reservation is None else await tx.orders.get_reservation(known.reservation)
        event = None if reservation is None else reservation.event
        returned = await return_payment(context, tx, known, event, UNUSED)
    log.info("money.returned", reason=UNUSED, at=now.isoformat(), asked=returned)
    return returned


def _is_for(payment: Payment, known: PaymentRow | None, reservation: ReservationRow) -> bool:
    if (payment.amount_cents, payment.currency) != (reservation.total_cents, reservation.currency):
        return False
    if known is None:
        return True
    return known.state is PaymentState.COMPLETED and known.reservation in {None, reservation.id}
