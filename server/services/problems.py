"""Why a use case was refused, each with a stable code and a sentence that helps the caller."""

from __future__ import annotations

from shared.problems import Conflict, Denied, InputUnusable, NotFound, Unavailable


class EventUnknown(NotFound):
    """No such event for this caller."""

    code = "event_not_found"


class TicketUnknown(NotFound):
    """No such ticket, or somebody else's."""

    code = "ticket_not_found"


class TicketTypeUnknown(NotFound):
    """The event sells nothing of this kind."""

    code = "ticket_type_not_found"


class ReservationUnknown(NotFound):
    """No such reservation, or somebody else's."""

    code = "reservation_not_found"


class TransferUnknown(NotFound):
    """No such offer, or neither from nor for this caller."""

    code = "transfer_not_found"


class NotOnSale(Conflict):
    """The event does not sell now."""

    code = "not_on_sale"


class AlreadyHolding(Conflict):
    """The user has a reservation of this event to pay first."""

    code = "already_holding"


class NotEnoughLeft(InputUnusable):
    """Fewer are left than asked for."""

    code = "not_enough_left"


class LimitExceeded(InputUnusable):
    """More than one order or one person may have."""

    code = "limit_exceeded"


class CurrenciesMixed(InputUnusable):
    """One order asks for ticket types of several currencies."""

    code = "currencies_mixed"


class ReservationExpired(Conflict):
    """The reservation's time is over; its places went back on sale."""

    code = "reservation_expired"


class ReservationSpent(Conflict):
    """The reservation was bought already."""

    code = "reservation_spent"


class PaymentUnverified(Denied):
    """The payment is unknown, unfinished, or of another amount."""

    code = "payment_unverified"


class PaymentReused(Conflict):
    """The payment bought something already."""

    code = "payment_reused"


class PaymentsAway(Unavailable):
    """Nobody can be asked whether a payment is good."""

    code = "payments_unavailable"


class CodeNotYet(Conflict):
    """The ticket shows no code yet."""

    code = "code_not_yet"


class CodeOver(Conflict):
    """The ticket shows no code any more, or none in its present state."""

    code = "code_over"


class StaticCodeNotAllowed(Conflict):
    """The ticket's type or its event takes no code on paper."""

    code = "static_code_not_allowed"


class KeyRetired(Conflict):
    """What this needs was made with a key that was erased."""

    code = "key_retired"


class KeyNeeded(Conflict):
    """The key cannot go: something still depends on it."""

    code = "key_needed"


class KeyUnknown(NotFound):
    """There is no such key, tenant or event to care for."""

    code = "key_not_found"


class TicketChanged(Conflict):
    """Somebody else changed the ticket at the same moment."""

    code = "ticket_changed"


class TransferPending(Conflict):
    """The ticket is on offer already."""

    code = "transfer_pending"


class TransferOver(Conflict):
    """The offer was answered, taken back, or is out of date."""

    code = "transfer_over"


class RecipientUnproven(Denied):
    """The caller does not prove to own the address the offer is for."""

    code = "recipient_unproven"


class KeyUnusable(InputUnusable):
    """The Idempotency-Key header is missing or of another form."""

    code = "idempotency_key_unusable"


class CallInProgress(Conflict):
    """The same call is at work right now."""

    code = "idempotency_in_progress"


class AnswerErased(Conflict):
    """The call was done, and its answer was erased since with the personal data in it."""

    code = "answer_erased"


class KeyReused(InputUnusable):
    """The Idempotency-Key was used for another request."""

    code = "idempotency_key_reused"
