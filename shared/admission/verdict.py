"""The answer at the door: admitted or not, and why, from a closed list of reasons."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from msgspec import Struct


class Reason(StrEnum):
    """Why a verdict is what it is; stable, for machines and translations."""

    OK = "ok"
    OK_REENTRY = "ok_reentry"
    EXIT_OK = "exit_ok"
    ALREADY_USED = "already_used"
    ALREADY_USED_ELSEWHERE = "already_used_elsewhere"
    DOUBLE_READ = "double_read"
    MUST_EXIT_FIRST = "must_exit_first"
    CODE_UNREADABLE = "code_unreadable"
    CODE_VERSION = "code_version"
    CODE_FORGED = "code_forged"
    CODE_STALE = "code_stale"
    CODE_FUTURE = "code_future"
    STATIC_CODE_REFUSED = "static_code_refused"
    EPOCH_UNKNOWN = "epoch_unknown"
    WRONG_EVENT = "wrong_event"
    UNKNOWN_TICKET = "unknown_ticket"
    TRANSFERRED_OR_REISSUED = "transferred_or_reissued"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    REVOKED = "revoked"
    LOCKED = "locked"
    UNPAID = "unpaid"
    WRONG_PRODUCT = "wrong_product"
    WRONG_ZONE = "wrong_zone"
    WRONG_GATE = "wrong_gate"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    COOLDOWN = "cooldown"
    LIMIT_REACHED = "limit_reached"
    CAPACITY_FULL = "capacity_full"
    CLONE_SUSPECTED = "clone_suspected"
    CLONE_REFUSED = "clone_refused"
    ID_CHECK_REQUIRED = "id_check_required"
    SUPERVISOR_REQUIRED = "supervisor_required"
    DEVICE_REVOKED = "device_revoked"
    KEYS_EXPIRED = "keys_expired"
    SNAPSHOT_TOO_OLD = "snapshot_too_old"
    CLOCK_UNSURE = "clock_unsure"
    INTERNAL_ERROR = "internal_error"
    UNDONE = "undone"
    STAFF_ACTION = "staff_action"


ADMITTING = frozenset({Reason.OK, Reason.OK_REENTRY, Reason.EXIT_OK})
"""Reasons with which a person passes and the counts change."""

NO_SCAN = frozenset({Reason.UNDONE, Reason.STAFF_ACTION})
"""Reasons of records that answer nobody: an admission taken back, and what else a supervisor did at a gate."""


class Direction(StrEnum):
    """Which way a person passes a gate."""

    ENTRY = "entry"
    EXIT = "exit"


class PriorUse(Struct, frozen=True, kw_only=True):
    """The admission a refusal points at: when (milliseconds since 1970) and at which gate."""

    at_ms: int
    gate: UUID


class Verdict(Struct, frozen=True, kw_only=True):
    """What the gate does with one scan; ``wait_s`` says how long a cool-down still lasts."""

    admitted: bool
    reason: Reason
    prior: PriorUse | None = None
    wait_s: int | None = None


def admit(reason: Reason = Reason.OK) -> Verdict:
    """Return a verdict that lets the person pass."""
    return Verdict(admitted=True, reason=reason)


def refuse(reason: Reason, *, prior: PriorUse | None = None, wait_s: int | None = None) -> Verdict:
    """Return a verdict that does not."""
    return Verdict(admitted=False, reason=reason, prior=prior, wait_s=wait_s)
