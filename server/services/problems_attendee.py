"""Why an attendee was refused over seats, transfers and refunds: one stable code for each reason."""

from __future__ import annotations

from shared.problems import Conflict, Denied, InputUnusable, NotFound


class SeatUnknown(NotFound):
    """The event has no such seat."""

    code = "seat_not_found"


class SeatTaken(Conflict):
    """Somebody else holds one of the seats; another may be free."""

    code = "seat_taken"


class TicketLocked(Conflict):
    """The organiser keeps this ticket where it is."""

    code = "ticket_locked"


class EventOver(Conflict):
    """The event is over; its tickets do not move any more."""

    code = "event_is_over"


class TransferNotAllowed(Denied):
    """Tickets of this event do not change hands."""

    code = "transfer_not_allowed"


class TransferTooLate(Conflict):
    """The organiser's last moment for handing over has passed."""

    code = "transfer_too_late"


class TransferPaused(Conflict):
    """The organiser lets no ticket change hands during these hours."""

    code = "transfer_paused"


class TransferCoolingDown(Conflict):
    """The ticket changed hands a short while ago."""

    code = "transfer_cooling_down"


class TransferLimitReached(InputUnusable):
    """The ticket changed hands as often as it may."""

    code = "transfer_limit_reached"


class TransferDayLimitReached(InputUnusable):
    """The user made as many offers as one person may within a day."""

    code = "transfer_day_limit_reached"


class TransferToSelf(InputUnusable):
    """The recipient's address is the sender's own."""

    code = "transfer_to_self"


class TicketNotTransferable(Conflict):
    """A ticket in this state does not change hands."""

    code = "ticket_not_transferable"


class RefundNotAllowed(Denied):
    """Tickets of this event are not taken back."""

    code = "refund_not_allowed"


class RefundTooLate(Conflict):
    """The organiser's last moment for taking tickets back has passed."""

    code = "refund_too_late"


class TicketNotRefundable(Conflict):
    """A ticket in this state, or one that was used, is not taken back."""

    code = "ticket_not_refundable"
