"""Commands to single gates: given, handed to whichever link is up, and settled by the gate's own receipt.

A command is signed when it is sent, by the config key its gate believes at that moment; so it outlives a change of keys, and
whoever carries it can make none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from msgspec import Struct
from msgspec.structs import replace

from server.domain.access import GateCaller
from server.domain.server_gate import is_server_gate
from server.services.context import Context
from server.services.gate_hosts import take_out_of_service
from server.services.ports import Unit
from server.services.problems_gates import CommandsWaiting, CommandUnusable, GateOutOfService, GateUnknown
from server.services.rows_fleet import CommandRow
from server.services.rows_gates import GateRow
from shared.admission.policy import GateRole
from shared.admission.verdict import Direction
from shared.clock import unix_ms
from shared.ids import CommandId, GateId, TenantId, uuid7
from shared.sync.command import (
    MOST_COMMANDS,
    Command,
    CommandKind,
    Configure,
    Hold,
    Notice,
    Order,
    Outcome,
    Receipt,
    Resume,
    Resync,
    SignedCommand,
    Wipe,
    kind_of,
    pack_order,
    sign_command,
    unpack_order,
)
from shared.sync.feed import GateEntry

MOST_OPEN = 100
"""Commands that may wait for one gate."""

LIFE: dict[CommandKind, timedelta] = {
    CommandKind.MESSAGE: timedelta(hours=12),
    CommandKind.RESYNC: timedelta(hours=1),
    CommandKind.WIPE: timedelta(days=30),
}
"""For how long a command counts unless somebody says otherwise; those that are missing count until they are done."""

log = structlog.get_logger()


class Commander(Struct, frozen=True, kw_only=True):
    """Who commands: a user's id, or the command line."""

    tenant: TenantId
    name: str


class CommandWish(Struct, frozen=True, kw_only=True):
    """What a gate is to do; ``text`` is the reason of a hold or the text of a message, ``life`` how long it counts."""

    kind: CommandKind
    text: str | None = None
    life: timedelta | None = None


class GateChange(Struct, frozen=True, kw_only=True):
    """What a gate is to be from now on; None leaves it as it is."""

    name: str | None = None
    direction: Direction | None = None
    zones: int | None = None
    products: tuple[int, ...] | None = None
    role: GateRole | None = None


class Given(Struct, frozen=True, kw_only=True):
    """An order, who gave it, and until when it counts (None: until it is done)."""

    by: Commander
    order: Order
    expires_at: datetime | None = None


async def give_command(context: Context, tx: Unit, by: Commander, gate_id: GateId, wish: CommandWish) -> CommandRow:
    """Have a gate do something, now or when it is back.

    Raises:
        GateUnknown: the tenant has no such gate.
        GateOutOfService: it was revoked.
        CommandUnusable: the wish lacks something or has something too much.
        CommandsWaiting: too many wait for this gate.
    """
    order = _make_order(wish)
    gate = await find_commanded(tx, gate_id)
    now = context.clock.now()
    if isinstance(order, Hold):
        await tx.gates.hold(gate.id, order.reason, now)
    elif isinstance(order, Resume):
        await tx.gates.hold(gate.id, None, None)
    life = wish.life or LIFE.get(wish.kind)
    given = Given(by=by, order=order, expires_at=None if life is None else now + life)
    return await queue_order(context, tx, gate, given)


async def queue_order(context: Context, tx: Unit, gate: GateRow, given: Given) -> CommandRow:
    """Number and keep an order for a gate that the transaction has locked.

    Raises:
        CommandsWaiting: too many wait for this gate.
    """
    now = context.clock.now()
    if len(await tx.commands.open(gate.id, now, MOST_OPEN)) >= MOST_OPEN:
        raise CommandsWaiting(f"{MOST_OPEN} commands wait for this gate already: see that it gets a network.")
    row = CommandRow(
        gate=gate.id,
        number=await tx.commands.next_number(gate.id),
        id=CommandId(uuid7(now, context.random_bytes)),
        kind=kind_of(given.order),
        body=pack_order(given.order),
        created_by=given.by.name,
        created_at=now,
        expires_at=given.expires_at,
    )
    await tx.commands.add(row)
    log.info("gate.commanded", gate=str(gate.id), command=str(row.id), kind=row.kind.value, by=given.by.name)
    return row


async def change_gate(context: Context, tx: Unit, by: Commander, gate_id: GateId, change: GateChange) -> GateRow:
    """Have a gate be called otherwise or serve others, here at once and at the gate as soon as it hears of it.

    Raises:
        GateUnknown, GateOutOfService, CommandsWaiting: as for a command.
    """
    before = await find_commanded(tx, gate_id)
    wanted = {name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not None}
    after = replace(before, **wanted)
    if after == before:
        return before
    await tx.gates.change(after)
    if after.name != before.name:
        await tx.outbox.append(after.event, [GateEntry(seq=0, gate=after.id, name=after.name)])
    await queue_order(context, tx, after, Given(by=by, order=configuration_of(after)))
    return after


def configuration_of(gate: GateRow) -> Configure:
    """Return the order that makes a gate what its row says."""
    return Configure(name=gate.name, direction=gate.direction, zones=gate.zones, products=gate.products, role=gate.role)


async def find_commanded(tx: Unit, gate_id: GateId) -> GateRow:
    """Return a gate that can be told something, locked.

    Raises:
        GateUnknown: the tenant has no such gate, or it is the server itself.
        GateOutOfService: it was revoked.
    """
    gate = await tx.gates.lock(gate_id)
    if gate is None or is_server_gate(gate_id, gate.event):
        raise GateUnknown("There is no such gate.")
    if gate.revoked_at is not None:
        raise GateOutOfService("This gate was taken out of service: it does nothing any more.")
    return gate


async def find_due(tx: Unit, context: Context, gate: GateRow) -> list[SignedCommand]:
    """Return what a gate is to be told now: all that is open, in order, signed by the key it believes."""
    now = context.clock.now()
    rows = await tx.commands.open(gate.id, now, MOST_COMMANDS)
    if not rows:
        return []
    key = await context.vault.config_key(tx, gate.config)
    await tx.commands.mark_sent(gate.id, rows[-1].number, now)
    return [sign_command(_as_command(row), gate.id, key) for row in rows]


async def settle_commands(context: Context, caller: GateCaller, receipts: Sequence[Receipt]) -> None:
    """Keep what a gate says became of its commands; saying it again changes nothing. A wiped gate leaves service.

    Raises:
        Unavailable: the database is away.
    """
    now = context.clock.now()
    async with context.db.tenant(caller.tenant) as tx:
        for receipt in receipts:
            settled = await tx.commands.settle(caller.gate, receipt, now)
            if settled is None:
                continue
            log.info("gate.obeyed", gate=str(caller.gate), command=str(settled.id), outcome=settled.outcome)
            if settled.kind is CommandKind.WIPE and receipt.outcome is Outcome.DONE:
                await take_out_of_service(tx, context.vault, caller.gate, now)


def _as_command(row: CommandRow) -> Command:
    expires_ms = None if row.expires_at is None else unix_ms(row.expires_at)
    return Command(id=row.id, number=row.number, order=unpack_order(row.body), expires_ms=expires_ms)


def _make_order(wish: CommandWish) -> Order:
    if (wish.kind in {CommandKind.HOLD, CommandKind.MESSAGE}) != (wish.text is not None):
        raise CommandUnusable("A hold needs a reason and a message a text, as `text`; nothing else takes one.")
    if wish.life is not None and wish.kind not in LIFE:
        raise CommandUnusable(f"A {wish.kind.value} counts until it is done: leave `expiresInS` out.")
    match wish.kind:
        case CommandKind.HOLD:
            return Hold(reason=wish.text or "")
        case CommandKind.RESUME:
            return Resume()
        case CommandKind.MESSAGE:
            return Notice(text=wish.text or "")
        case CommandKind.RESYNC:
            return Resync()
        case CommandKind.WIPE:
            return Wipe()
        case CommandKind.CONFIGURE:
            raise CommandUnusable(
                "Change a gate's name, direction, zones, products or role by PATCH, not by a command."
            )
