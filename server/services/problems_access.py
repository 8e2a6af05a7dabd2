"""Why a caller, or somebody who lets others call, was refused."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from shared.ids import GateId
from shared.problems import Conflict, Denied, InputUnusable, NotFound


class ApiKeyInvalid(Denied):
    """The API key is unknown, revoked, out of date, or mistyped: which one, nobody is told."""

    code = "api_key_invalid"


class ApiKeyUnknown(NotFound):
    """The tenant has no such API key."""

    code = "api_key_not_found"


class ScopeNotForKeys(InputUnusable):
    """No API key can have this right, or not one its maker does not have."""

    code = "scope_not_for_keys"


class ExpiryUnusable(InputUnusable):
    """The key would end before it begins, or never."""

    code = "expiry_unusable"


class ServiceSignatureInvalid(Denied):
    """The call is not signed by the service it names."""

    code = "service_signature_invalid"


class ServiceClockOff(Denied):
    """The call is signed well, and of another time than the server's."""

    code = "service_clock_off"


class NonceReused(Denied):
    """This very call came before."""

    code = "nonce_reused"


class ServiceUnknown(NotFound):
    """The tenant has no service caller of this name."""

    code = "service_not_found"


class ServiceExists(Conflict):
    """There is a service caller of this name."""

    code = "service_exists"


class SupervisorUnknown(NotFound):
    """The tenant has no such supervisor."""

    code = "supervisor_not_found"


class PinUnusable(InputUnusable):
    """The PIN is too short, or among those that everybody tries first."""

    code = "pin_unusable"


class GateElsewhere(InputUnusable):
    """A gate that was named belongs to another event, or is none of this tenant's."""

    code = "gate_elsewhere"


class TooManySupervisors(Conflict):
    """A gate can know so many supervisors and no more."""

    code = "too_many_supervisors"


class CodeNeeded(InputUnusable):
    """Nothing was scanned, and nobody decided to do without."""

    code = "code_needed"


class ForceUnexplained(InputUnusable):
    """A decision against the rule came without its reason."""

    code = "force_unexplained"


class FirstUse(Struct, frozen=True, kw_only=True, rename="camel"):
    """An earlier admission: when and at which gate."""

    at: datetime
    gate_id: GateId
    gate_name: str


class AlreadyCheckedIn(Conflict):
    """The ticket's holder is in already; ``first`` is the admission it began with, where that is known."""

    code = "already_checked_in"

    def __init__(self, message: str, first: FirstUse | None) -> None:
        super().__init__(message)
        self.first = first
