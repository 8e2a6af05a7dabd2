"""What commands are called in the audit log, and the entry that each leaves at the organiser it is about."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

from msgspec import Struct

from server.domain.deeds import describe
from server.services.audit import Deed, Doer, audited
from server.services.context import Context
from server.services.correlation import correlating
from server.services.ports import Unit
from server.services.rows_staff import Via
from shared.ids import ConflictId, EventId, GateId, TenantId, TicketId

DEEDS: dict[str, str] = {
    "server.cli_events:open_sale": "event.open",
    "server.cli_events:close": "event.close",
    "server.cli_events:cancel": "event.cancel",
    "server.cli_tickets:take_back": "ticket.revoke",
    "server.cli_tickets:make_anew": "ticket.reissue",
    "server.cli_doors:revoke": "gate.revoke",
    "server.cli_doors:resolve": "conflict.resolve",
    "server.cli_fleet:command": "gate.command",
    "server.cli_fleet:change": "gate.change",
    "server.cli_fleet:enrol": "gate.enrolment_code",
    "server.cli_keys:rotate": "keys.rotate",
    "server.cli_keys:rewrap": "keys.rewrap",
    "server.cli_keys:retire": "keys.retire",
    "server.cli_access:make_api_key": "api_key.create",
    "server.cli_access:revoke_api_key": "api_key.revoke",
    "server.cli_access:add_service": "service_caller.create",
    "server.cli_access:rotate_service": "service_caller.rotate",
    "server.cli_access:remove_service": "service_caller.remove",
    "server.cli_access:add_person": "supervisor.create",
    "server.cli_access:reset_person": "supervisor.pin",
    "server.cli_access:remove_person": "supervisor.remove",
    "server.cli_staff:add": "staff.add",
    "server.cli_staff:passwd": "staff.password",
    "server.cli_staff:disable": "staff.disable",
    "server.cli_staff:enable": "staff.enable",
    "server.cli_people:export": "tenant.export",
    "server.cli_nft:trees": "nft.make_tree",
    "server.cli_nft:mint": "nft.mint",
    "server.cli_nft:replay": "nft.replay",
    "server.cli_nft:rename": "nft.rename",
}
"""By the function that a command's parser names."""

NOTED_INSIDE = frozenset({"server.cli_tenants:add", "server.cli_people:forget"})
"""These write their entry in the transaction of what they do."""


class _About(Struct, frozen=True, kw_only=True):
    """Whose log an entry belongs to, and what it is about."""

    tenants: Sequence[TenantId]
    subject: str = ""
    event: EventId | None = None


@asynccontextmanager
async def noting(arguments: argparse.Namespace, context: Context, tenants: Sequence[TenantId]) -> AsyncIterator[None]:
    """Have a command that changes something noted, before it is done and after; ``tenants``: whose it may be about."""
    with correlating(context.random_bytes(16).hex()):
        action = _action(arguments)
        if action is None:
            yield
            return
        about = await _find_subject(arguments, context, tenants)
        deed = Deed(action=action, subject=about.subject, event=about.event, detail=describe(vars(arguments)))
        async with AsyncExitStack() as stack:
            for tenant in about.tenants:
                by = operator_of(tenant)
                await stack.enter_async_context(audited(context, by, deed))
            yield


def operator_of(tenant: TenantId) -> Doer:
    """Return whoever sits at this machine, by the account they are signed in with there."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # an account that has no entry, as in a container
        name = ""
    return Doer(tenant=tenant, via=Via.COMMAND, id="cli", name=name)


def _action(arguments: argparse.Namespace) -> str | None:
    only_looks = getattr(arguments, "kek", None) is not None or not getattr(arguments, "make", True)
    return None if only_looks else DEEDS.get(str(arguments.run))


async def _find_subject(arguments: argparse.Namespace, context: Context, tenants: Sequence[TenantId]) -> _About:
    """Return what a command is about; of something that nobody has there is nothing to note: the command says so itself."""
    named = {name: getattr(arguments, name, None) for name in ("ticket", "gate", "conflict", "event")}
    given = next(((name, value) for name, value in named.items() if isinstance(value, UUID)), None)
    if given is None:
        subject = getattr(arguments, "id", None) or getattr(arguments, "login", None) or ""
        return _About(tenants=tenants, subject=str(subject))
    kind, value = given
    if kind == "event" and getattr(arguments, "replace", False):
        kind = "gate"
    for tenant in tenants:
        async with context.db.tenant(tenant) as tx:
            known, event = await _look_up(tx, kind, value)
        if known:
            return _About(tenants=[tenant], subject="" if kind == "event" else str(value), event=event)
    return _About(tenants=[])


async def _look_up(tx: Unit, kind: str, value: UUID) -> tuple[bool, EventId | None]:
    """Tell whether a tenant has something, and at which event."""
    wanted: UUID | None = value
    if kind == "conflict":
        wanted = await tx.conflicts.ticket_of(ConflictId(value))
        kind = "ticket"
    if wanted is None:
        return False, None
    if kind == "event":
        event = await tx.events.get(EventId(wanted))
        return event is not None, None if event is None else event.id
    row = await (tx.gates.get(GateId(wanted)) if kind == "gate" else tx.tickets.get(TicketId(wanted)))
    return row is not None, None if row is None else row.event
