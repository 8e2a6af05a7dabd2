"""What a supervisor may decide against the rule, and for which reasons: two closed lists."""

from __future__ import annotations

from enum import StrEnum

from shared.admission.verdict import Reason


class OverrideReason(StrEnum):
    """Why a supervisor lets somebody pass whom the rule refuses."""

    ID_CHECKED = "id_checked"
    LEFT_UNSCANNED = "left_unscanned"
    SCANNED_IN_ERROR = "scanned_in_error"
    PHONE_BROKEN = "phone_broken"
    ORGANISER_AGREED = "organiser_agreed"
    ACCESSIBILITY = "accessibility"
    EMERGENCY = "emergency"


class UndoReason(StrEnum):
    """Why an admission is taken back: by a supervisor, or, in the last case, by the gate whose turnstile nobody turned."""

    SCANNED_IN_ERROR = "scanned_in_error"
    GUEST_TURNED_BACK = "guest_turned_back"
    WRONG_PERSON = "wrong_person"
    NOBODY_TURNED = "nobody_turned"


BY_PEOPLE = tuple(reason for reason in UndoReason if reason is not UndoReason.NOBODY_TURNED)
"""What a supervisor may choose from."""


class StaffAction(StrEnum):
    """What else a supervisor's name is put to in the log."""

    SIGNED_IN = "signed_in"
    PIN_REFUSED = "pin_refused"
    LOCKED_OUT = "locked_out"
    SEARCHED = "searched"
    CLOSED_LANE = "closed_lane"
    OPENED_LANE = "opened_lane"
    LISTED_INSIDE = "listed_inside"
    EXPORTED_LOG = "exported_log"


OVERRIDABLE = frozenset(
    {
        Reason.ALREADY_USED,
        Reason.ALREADY_USED_ELSEWHERE,
        Reason.MUST_EXIT_FIRST,
        Reason.LIMIT_REACHED,
        Reason.COOLDOWN,
        Reason.CAPACITY_FULL,
        Reason.CLONE_SUSPECTED,
        Reason.ID_CHECK_REQUIRED,
        Reason.SUPERVISOR_REQUIRED,
        Reason.UNKNOWN_TICKET,
        Reason.WRONG_PRODUCT,
        Reason.WRONG_ZONE,
        Reason.WRONG_GATE,
        Reason.NOT_YET_VALID,
        Reason.EXPIRED,
        Reason.CODE_STALE,
        Reason.CODE_FUTURE,
        Reason.STATIC_CODE_REFUSED,
        Reason.CLOCK_UNSURE,
    }
)
"""Refusals of a genuine ticket that a person at the door can judge better than a rule.

Not among them: a code that is not genuine or names no ticket; a ticket that its organiser took back, put on hold or gave to
somebody else; a gate that may admit nobody.
"""


def may_override(reason: Reason) -> bool:
    """Say whether a supervisor may let somebody pass who was refused for this reason."""
    return reason in OVERRIDABLE
