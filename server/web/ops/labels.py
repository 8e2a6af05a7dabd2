"""What codes are called on the page: words for people, with a sign where a colour alone would not do."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "already_used": "Already used",
        "already_used_elsewhere": "Already used at another gate",
        "double_read": "Read twice",
        "must_exit_first": "Still inside",
        "code_unreadable": "No ticket code",
        "code_version": "Code of another version",
        "code_forged": "Forged code",
        "code_stale": "Old code: a picture?",
        "code_future": "Phone's clock ahead",
        "static_code_refused": "Paper not accepted",
        "epoch_unknown": "Key not known",
        "wrong_event": "Another event",
        "unknown_ticket": "Unknown ticket",
        "transferred_or_reissued": "Handed on or made anew",
        "cancelled": "Cancelled",
        "refunded": "Refunded",
        "revoked": "Taken back",
        "locked": "Locked",
        "unpaid": "Not paid",
        "wrong_product": "Another gate's ticket type",
        "wrong_zone": "Another zone",
        "wrong_gate": "Another gate",
        "not_yet_valid": "Too early",
        "expired": "Too late",
        "cooldown": "Left too recently",
        "limit_reached": "No entries left",
        "capacity_full": "House full",
        "id_check_required": "Identity to be checked",
        "supervisor_required": "Supervisor needed",
        "device_revoked": "Gate taken out of service",
        "keys_expired": "Gate's keys expired",
        "snapshot_too_old": "Gate's data too old",
        "clock_unsure": "Gate's clock unsure",
        "internal_error": "Fault at the gate",
        "ok": "Let in",
        "ok_reentry": "Let in again",
        "exit_ok": "Let out",
        "undone": "Taken back at the gate",
        "staff_action": "Supervisor's action",
    }
)
WAYS: Mapping[str, str] = MappingProxyType(
    {"page": "page", "api": "API", "command": "command line", "system": "by itself"}
)

CONDITIONS: Mapping[str, str] = MappingProxyType(
    {
        "silent": "■ Silent",
        "never": "○ Not here yet",
        "troubled": "▲ Needs a look",
        "fine": "● Fine",
        "revoked": "✕ Out of service",
    }
)
TROUBLES: Mapping[str, str] = MappingProxyType(
    {
        "backlog": "scans not handed over",
        "clock": "clock is off",
        "behind": "data is behind",
        "keys": "keys are old",
        "held": "held: lets nobody in",
    }
)
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "race": "Two gates at once",
        "clone": "One ticket, two places",
        "stale_state": "No longer valid",
        "staff_error": "Staff error",
        "overridden": "Supervisor's decision",
    }
)
SEVERITIES: Mapping[str, str] = MappingProxyType(
    {"high": "▲▲ High", "medium": "▲ Medium", "low": "△ Low", "none": "– None"}
)
CAUTIONS: Mapping[str, str] = MappingProxyType(
    {
        "house_full": "The house is full",
        "house_nearly_full": "The house is nearly full",
        "gate_full": "Full behind this gate",
        "gate_nearly_full": "Nearly full behind this gate",
        "area_full": "Full behind these gates together",
        "area_nearly_full": "Nearly full behind these gates together",
        "gates_silent": "Gates are silent",
    }
)
STATES: Mapping[str, str] = MappingProxyType(
    {
        "draft": "Draft",
        "open": "Open",
        "closed": "Closed",
        "cancelled": "Cancelled",
        "available": "Free",
        "reserved": "Reserved",
        "sold": "Sold",
        "minted": "Minted",
        "active": "Active",
        "transferred": "Handed on",
        "checked_in": "Inside",
        "used": "Used",
        "revoked": "Taken back",
        "refunded": "Refunded",
        "expired": "Expired",
        "acknowledged": "Being looked into",
        "resolved": "Settled",
        "withdrawn": "No longer holds",
    }
)
RESOLUTIONS: Mapping[str, str] = MappingProxyType(
    {
        "benign": "Harmless",
        "refund": "Money back",
        "ejected": "Shown out",
        "fraud": "Fraud",
        "staff_error": "Staff error",
    }
)
SAID: Mapping[str, str] = MappingProxyType(
    {
        "signed_out": "You are signed out.",
        "session_ended": "That session has ended.",
        "gate_revoked": "The gate is out of service. It refuses everybody as soon as it hears of it.",
        "command_given": "The gate is told, as soon as it has a network.",
        "commands_given": "The gates are told, each as soon as it has a network.",
        "acknowledged": "Noted: somebody looks into it.",
        "resolved": "The conflict is settled.",
        "ticket_revoked": "The ticket is taken back. Gates refuse it as soon as they hear of it.",
        "ticket_locked": "The ticket is locked.",
        "ticket_unlocked": "The ticket is free again.",
        "event_opened": "The event is open.",
        "event_closed": "The event is closing; its tickets follow.",
        "event_cancelled": "The event is called off; its tickets are being cancelled, and gates are told.",
        "keys_rotated": "The event has new keys from its next epoch on.",
        "keys_replaced": "All of the event's keys were replaced at once.",
    }
)
LIVE = MappingProxyType(
    {
        "reasons": REASONS,
        "conditions": CONDITIONS,
        "troubles": TROUBLES,
        "kinds": KINDS,
        "severities": SEVERITIES,
        "cautions": CAUTIONS,
        "states": STATES,
    }
)
"""What the page's scripts need to say the same."""


def name_code(words: Mapping[str, str], code: object) -> str:
    """Return what a code is called; a code of a later version is shown as it is."""
    text = str(code)
    return words.get(text, text.replace("_", " "))
