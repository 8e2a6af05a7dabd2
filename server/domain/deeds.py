"""What organisers' calls are called in the audit log, by method and path: what changes something has a name, or is not served."""

from __future__ import annotations

from server.domain.access import Scope

_API = "/api/v1"

DEEDS: dict[str, str] = {
    f"POST {_API}/events": "event.create",
    f"PATCH {_API}/events/{{event}}": "event.change",
    f"PATCH {_API}/events/{{event}}/policy": "event.policy",
    f"POST {_API}/events/{{event}}/open": "event.open",
    f"POST {_API}/events/{{event}}/close": "event.close",
    f"POST {_API}/events/{{event}}/cancel": "event.cancel",
    f"POST {_API}/events/{{event}}/ticket-types": "ticket_type.create",
    f"PATCH {_API}/ticket-types/{{type}}": "ticket_type.change",
    f"POST {_API}/events/{{event}}/zones": "zone.create",
    f"PATCH {_API}/events/{{event}}/zones/{{n}}": "zone.change",
    f"POST {_API}/events/{{event}}/seats": "seats.create",
    f"PATCH {_API}/events/{{event}}/seats/{{seat}}": "seat.change",
    f"DELETE {_API}/events/{{event}}/seats/{{seat}}": "seat.remove",
    f"POST {_API}/events/{{event}}/tickets/issue": "tickets.issue",
    f"POST {_API}/events/{{event}}/tickets/import": "tickets.import",
    f"POST {_API}/events/{{event}}/nfts/retry": "nfts.retry",
    f"POST {_API}/tickets/{{ticket}}/revoke": "ticket.revoke",
    f"POST {_API}/tickets/{{ticket}}/lock": "ticket.lock",
    f"POST {_API}/tickets/{{ticket}}/unlock": "ticket.unlock",
    f"POST {_API}/tickets/{{ticket}}/reissue": "ticket.reissue",
    f"POST {_API}/events/{{event}}/gates/enrolment-codes": "gate.enrolment_code",
    f"POST {_API}/gates/{{gate}}/enrolment-codes": "gate.replacement_code",
    f"PATCH {_API}/gates/{{gate}}": "gate.change",
    f"POST {_API}/gates/{{gate}}/commands": "gate.command",
    f"POST {_API}/gates/{{gate}}/revoke": "gate.revoke",
    f"POST {_API}/events/{{event}}/keys/rotate": "keys.rotate",
    f"POST {_API}/conflicts/{{conflict}}/acknowledge": "conflict.acknowledge",
    f"POST {_API}/conflicts/{{conflict}}/resolve": "conflict.resolve",
    f"POST {_API}/api-keys": "api_key.create",
    f"DELETE {_API}/api-keys/{{key}}": "api_key.revoke",
    f"POST {_API}/service-callers": "service_caller.create",
    f"POST {_API}/service-callers/{{name}}/rotate": "service_caller.rotate",
    f"DELETE {_API}/service-callers/{{name}}": "service_caller.remove",
    f"POST {_API}/supervisors": "supervisor.create",
    f"POST {_API}/supervisors/{{supervisor}}/pin": "supervisor.pin",
    f"DELETE {_API}/supervisors/{{supervisor}}": "supervisor.remove",
}

_READING = frozenset({"GET", "HEAD"})
_NOTED_ELSEWHERE = frozenset({Scope.TICKETS_OWN, Scope.TICKETS_VALIDATE, Scope.TICKETS_CHECKIN})
"""What attendees do is in their tickets' and orders' history, what scanners do is in the server gate's log."""

TOLD = (
    *(
        "name",
        "reason",
        "kind",
        "text",
        "resolution",
        "note",
        "direction",
        "mode",
        "refund",
        "force",
        "scopes",
        "calls",
    ),
    *("quantity", "role", "login", "scope", "allow", "now", "master", "config"),
)
"""Fields of calls and arguments of commands that their entries tell: none holds an attendee's name, an address or a secret."""


def is_deed(method: str, scope: Scope | None) -> bool:
    """Tell whether a call is an organiser's that changes something, so that it has to be noted."""
    return method not in _READING and scope is not None and scope not in _NOTED_ELSEWHERE


def describe(fields: object) -> str:
    """Return the told ones of a call's fields, as text for people."""
    if not isinstance(fields, dict):
        return ""
    told = [f"{name}: {_write(fields[name])}" for name in TOLD if fields.get(name) not in (None, False, "", [], ())]
    return ", ".join(told)


def _write(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(str(one) for one in value)
    return str(value)
