"""Who may do what: callers, roles and the scopes each role has."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from shared.ids import ApiKeyId, EventId, GateId, TenantId, UserId
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


KEY_SCOPES = frozenset(
    {Scope.TICKETS_VALIDATE, Scope.TICKETS_CHECKIN, Scope.SCANS_READ, Scope.EVENTS_READ, Scope.GATES_READ}
)
"""What an outside system's API key may be given, at most."""


class ServiceCall(StrEnum):
    """What another service may be allowed to call, as method and path; nothing else can be allowed."""

    READ_TICKET = "GET /internal/tickets/{ticket}"
    RESERVE_TICKET = "POST /internal/tickets/{ticket}/reserve"
    REPORT_PAYMENT = "POST /internal/payments"


class ScopeMissing(Denied):
    """The caller is known, and this is not theirs to do."""

    code = "scope_missing"


class CallNotAllowed(Denied):
    """The service is known, and this call is not on its list."""

    code = "service_not_allowed"


class User(Struct, frozen=True, kw_only=True):
    """A person with a verified token, or an outside system with an API key.

    ``email`` is lower case, and None unless the token says that it is verified. ``granted`` narrows what the role may do;
    None leaves it. An API key has its id in ``key`` and, for want of a person, in ``user``; bound to an event it may touch
    no other.
    """

    tenant: TenantId
    user: UserId
    role: Role
    email: str | None = None
    granted: frozenset[Scope] | None = None
    key: ApiKeyId | None = None
    event: EventId | None = None

    def __repr__(self) -> str:
        """Keep the address out of logs."""
        return f"User(tenant={self.tenant}, user={self.user}, role={self.role})"

    @property
    def scopes(self) -> frozenset[Scope]:
        """Return what this caller may do."""
        return SCOPES[self.role] if self.granted is None else SCOPES[self.role] & self.granted


class GateCaller(Struct, frozen=True, kw_only=True):
    """A gate that proved to hold its own key."""

    tenant: TenantId
    gate: GateId


class ServiceCaller(Struct, frozen=True, kw_only=True):
    """Another service that signed this very call, what it may call, and for which tenant it does so."""

    tenant: TenantId
    name: str
    allowed: frozenset[ServiceCall]


def check_scope(user: User, scope: Scope) -> None:
    """Return if the user may do what ``scope`` stands for.

    Raises:
        ScopeMissing: otherwise.
    """
    if scope not in user.scopes:
        who = f"the role {user.role} does" if user.granted is None else "this token or key does"
        raise ScopeMissing(f"This needs the right {scope}, which {who} not have.")


def check_call(caller: ServiceCaller, call: str) -> None:
    """Return if a service may call this method and path.

    Raises:
        CallNotAllowed: otherwise.
    """
    if call not in caller.allowed:
        raise CallNotAllowed(f"{caller.name} may not call {call}: whoever runs this server can allow it.")
