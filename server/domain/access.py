"""Who may do what: callers, roles and the scopes each role has."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from shared.ids import GateId, TenantId, UserId
from shared.problems import Denied


class Role(StrEnum):
    """What a user is to a tenant."""

    CUSTOMER = "customer"
    DOOR_STAFF = "door_staff"
    BOX_OFFICE = "box_office"
    VENUE_MANAGER = "venue_manager"
    ADMIN = "admin"


class Scope(StrEnum):
    """What a call may need."""

    TICKETS_OWN = "tickets:own"
    """The caller's own tickets, and nobody else's."""
    TICKETS_READ = "tickets:read"
    TICKETS_ISSUE = "tickets:issue"
    TICKETS_MANAGE = "tickets:manage"
    """Revoke, lock and re-issue."""
    TICKETS_VALIDATE = "tickets:validate"
    TICKETS_CHECKIN = "tickets:checkin"
    TICKETS_FORCE = "tickets:force"
    """Check in against the rules, with a reason: a supervisor's right."""
    EVENTS_READ = "events:read"
    EVENTS_MANAGE = "events:manage"
    SCANS_READ = "scans:read"
    CONFLICTS_RESOLVE = "conflicts:resolve"
    GATES_READ = "gates:read"
    GATES_MANAGE = "gates:manage"
    SUPERVISORS_MANAGE = "supervisors:manage"
    KEYS_MANAGE = "keys:manage"
    """The keys that codes are made with."""
    ACCESS_MANAGE = "access:manage"
    """API keys and service callers."""


_EVERYBODY = frozenset({Scope.TICKETS_OWN, Scope.EVENTS_READ})
_DOOR = _EVERYBODY | {Scope.SCANS_READ, Scope.GATES_READ, Scope.TICKETS_VALIDATE, Scope.TICKETS_CHECKIN}
_BOX_OFFICE = _EVERYBODY | {Scope.TICKETS_READ, Scope.TICKETS_ISSUE}
_MANAGER = (
    _DOOR
    | _BOX_OFFICE
    | {
        Scope.TICKETS_MANAGE,
        Scope.TICKETS_FORCE,
        Scope.EVENTS_MANAGE,
        Scope.CONFLICTS_RESOLVE,
        Scope.GATES_MANAGE,
        Scope.SUPERVISORS_MANAGE,
    }
)

SCOPES: dict[Role, frozenset[Scope]] = {
    Role.CUSTOMER: _EVERYBODY,
    Role.DOOR_STAFF: _DOOR,
    Role.BOX_OFFICE: _BOX_OFFICE,
    Role.VENUE_MANAGER: _MANAGER,
    Role.ADMIN: _MANAGER | {Scope.KEYS_MANAGE, Scope.ACCESS_MANAGE},
}


class ScopeMissing(Denied):
    """The caller is known, and this is not theirs to do."""

    code = "scope_missing"


class User(Struct, frozen=True, kw_only=True):
    """A person with a verified token. ``email`` is lower case, and None unless the token says that it is verified."""

    tenant: TenantId
    user: UserId
    role: Role
    email: str | None = None

    def __repr__(self) -> str:
        """Keep the address out of logs."""
        return f"User(tenant={self.tenant}, user={self.user}, role={self.role})"

    @property
    def scopes(self) -> frozenset[Scope]:
        """Return what this user's role may do."""
        return SCOPES[self.role]


class GateCaller(Struct, frozen=True, kw_only=True):
    """A gate that proved to hold its own key."""

    tenant: TenantId
    gate: GateId


def check_scope(user: User, scope: Scope) -> None:
    """Return if the user may do what ``scope`` stands for.

    Raises:
        ScopeMissing: otherwise.
    """
    if scope not in user.scopes:
        raise ScopeMissing(f"This needs the right {scope}, which the role {user.role} does not have.")
