"""What there is of keys, for the operator: which wraps what, who depends on which, and how far ahead gates are provided."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from msgspec import Struct

from server.domain.server_gate import is_server_gate
from server.services.bundles import due_version
from server.services.context import Context
from server.services.epochs import LAST_EPOCH, epoch_at
from server.services.key_care import KEPT_AFTER_EVENT
from server.services.ports import Unit
from server.services.ports_keys import KekCount
from server.services.problems import EventUnknown
from server.services.rows import EventRow, KeyKind
from server.services.rows_gates import GateRow
from shared.ids import EventId, TenantId


class MasterStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """A master, and how many generations of tickets that still matter were made with it."""

    number: int
    generations: int
    newest: bool


class ConfigStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """A config key, and how many gates in service believe it and none newer."""

    number: int
    gates: int
    newest: bool


class EventStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """An event's epochs: which is now, until when keys are stored, how often they were replaced, which gates lag."""

    event_id: EventId
    name: str
    epoch: int
    stored_epochs: int
    stored_until: datetime | None
    series: int
    replaced: int
    gates: int
    gates_behind: int


class TenantStatus(Struct, frozen=True, kw_only=True, rename="camel"):
    """One tenant's keys."""

    tenant_id: TenantId
    wrapped_with: list[KekCount]
    masters: list[MasterStatus]
    config_keys: list[ConfigStatus]
    events: list[EventStatus]


async def read_status(context: Context, tenant: TenantId, only: EventId | None = None) -> TenantStatus:
    """Return what there is of a tenant's keys; of events the ones that are not over for a month, or the one named."""
    now = context.clock.now()
    async with context.db.tenant(tenant) as tx:
        events = [one for one in await tx.events.list_all(only) if only or _matters(one, now)]
        described = [await _describe_event(tx, context, event, now) for event in events]
        beliefs = [gate.config for event in events for gate in await _gates_of(tx, event)]
        return TenantStatus(
            tenant_id=tenant,
            wrapped_with=await tx.key_care.count_keks(),
            masters=await _list_masters(tx, now - KEPT_AFTER_EVENT),
            config_keys=await _list_configs(tx, Counter(beliefs)),
            events=described,
        )


async def read_event_status(context: Context, tenant: TenantId, event_id: EventId) -> EventStatus:
    """Return what there is of one event's keys.

    Raises:
        EventUnknown: the tenant has no such event.
    """
    async with context.db.tenant(tenant) as tx:
        event = await tx.events.get(event_id)
        if event is None:
            raise EventUnknown("There is no such event.")
        return await _describe_event(tx, context, event, context.clock.now())


async def _list_masters(tx: Unit, since: datetime) -> list[MasterStatus]:
    numbers = [row.id for row in await tx.keys.list_all(KeyKind.MASTER)]
    counts = [(await tx.key_care.needs_master(number, since)).tickets for number in numbers]
    return [
        MasterStatus(number=number, generations=count, newest=number == numbers[-1])
        for number, count in zip(numbers, counts, strict=True)
    ]


async def _list_configs(tx: Unit, believers: Counter[int]) -> list[ConfigStatus]:
    numbers = [row.id for row in await tx.keys.list_all(KeyKind.CONFIG)]
    return [ConfigStatus(number=number, gates=believers[number], newest=number == numbers[-1]) for number in numbers]


async def _describe_event(tx: Unit, context: Context, event: EventRow, now: datetime) -> EventStatus:
    epochs = await tx.keys.epochs(event.id, 0, LAST_EPOCH)
    replaced = await tx.keys.replaced(event.id, [one.epoch for one in epochs])
    gates = await _gates_of(tx, event)
    behind = [
        gate
        for gate in gates
        if gate.heartbeat is None
        or gate.heartbeat.bundle_version < due_version(event, now, config=gate.config, horizon=context.horizon)
    ]
    return EventStatus(
        event_id=event.id,
        name=event.name,
        epoch=epoch_at(event, now),
        stored_epochs=len(epochs),
        stored_until=max((one.ends for one in epochs), default=None),
        series=event.key_series,
        replaced=len(replaced),
        gates=len(gates),
        gates_behind=len(behind),
    )


async def _gates_of(tx: Unit, event: EventRow) -> list[GateRow]:
    """Return the event's gates in service; the server's own needs no keys sent."""
    gates = await tx.gates.of_event(event.id)
    return [gate for gate in gates if gate.revoked_at is None and not is_server_gate(gate.id, event.id)]


def _matters(event: EventRow, now: datetime) -> bool:
    window = event.policy.window
    return now < window.ends + timedelta(seconds=window.grace_s) + KEPT_AFTER_EVENT
