"""Why a gate, or somebody who sets one up, was refused."""

from __future__ import annotations

from shared.problems import Conflict, Denied, InputUnusable, NotFound, Unavailable


class EnrolmentCodeUnknown(NotFound):
    """No such code was ever made."""

    code = "enrolment_code_unknown"


class EnrolmentCodeUsed(Conflict):
    """A gate was enrolled with this code already."""

    code = "enrolment_code_used"


class EnrolmentCodeExpired(Conflict):
    """The code's fifteen minutes are over."""

    code = "enrolment_code_expired"


class TooManyTries(Unavailable):
    """Too many attempts from one address; ``wait_s`` says when the next one counts."""

    code = "rate_limited"

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class GateUnknown(NotFound):
    """No such gate for this caller."""

    code = "gate_not_found"


class GateRevoked(Denied):
    """The organiser took this gate out of service."""

    code = "device_revoked"


class GateOutOfService(Conflict):
    """The gate was taken out of service: there is nobody to obey."""

    code = "gate_out_of_service"


class CommandUnusable(InputUnusable):
    """The command lacks something, or has something that its kind does not take."""

    code = "command_unusable"


class CommandsWaiting(Conflict):
    """So many commands wait for this gate already."""

    code = "gate_commands_waiting"


class GateTokenInvalid(Denied):
    """The gate does not prove to be who it says."""

    code = "gate_token_invalid"


class GateClockOff(Denied):
    """The gate's proof is of another time: its clock is wrong."""

    code = "gate_clock_off"


class ProtocolUnsupported(InputUnusable):
    """The gate speaks a protocol this server does not."""

    code = "protocol_unsupported"


class LinkMisused(InputUnusable):
    """The gate sent something that has no place where it came."""

    code = "link_misused"


class LinkSuperseded(Conflict):
    """The gate has opened another link since this one."""

    code = "superseded"


class BatchConflict(Conflict):
    """The gate's log is not the continuation of what was stored of it."""

    code = "batch_conflict"


class BatchUnusable(InputUnusable):
    """A batch has a form that cannot be taken."""

    code = "batch_unusable"


class GateInService(Conflict):
    """A gate handed in scans to be kept apart although it may hand them over."""

    code = "gate_in_service"


class QuarantineFull(Conflict):
    """So many batches of one gate are kept apart and no more."""

    code = "quarantine_full"


class ConflictUnknown(NotFound):
    """The caller's tenant has no such conflict."""

    code = "conflict_not_found"


class ConflictSettled(Conflict):
    """Nothing is left to decide about the conflict."""

    code = "conflict_settled"


class FeedTooOld(NotFound):
    """That part of the feed is not kept any more."""

    code = "feed_too_old"


class SnapshotUnknown(NotFound):
    """No such snapshot or chunk; it was replaced by a newer one."""

    code = "snapshot_not_found"


class BrokerNotOffered(NotFound):
    """Gates of this server use no message broker."""

    code = "broker_not_offered"
