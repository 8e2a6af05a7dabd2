"""An organiser's events: made as drafts, changed by whoever has read them, put on sale."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid5

from msgspec import UNSET, Struct
from msgspec.structs import replace

from server.domain.access import User
from server.domain.names import read_name
from server.domain.schedule import Schedule, is_plausible, refuse_schedule
from server.services.context import Context
from server.services.event_requests import EventChanges, EventRequest, PolicyChanges
from server.services.event_views import OrganiserEvent, view_event
from server.services.idempotency import Answer, name_call, run_once
from server.services.listing import Listed
from server.services.ports import Unit
from server.services.problems import EventUnknown
from server.services.problems_organiser import EventNotReady, EventStateWrong, ScheduleInvalid, VersionStale
from server.services.publish import REVEAL_AHEAD
from server.services.rows import EventRow, EventState, Page, VenueRow
from shared.admission.policy import Window
from shared.admission.templates import make_policy
from shared.ids import EventId, TenantId, VenueId, uuid7
from shared.sync.feed import PolicyEntry

UNNAMED_TENANT = "Unnamed organiser"


async def create_event(context: Context, user: User, key: str | None, request: EventRequest) -> Answer:
    """Make a draft.

    Raises:
        NameUnusable, ScheduleInvalid: of what was given.
        KeyUnusable, KeyReused, CallInProgress: of the idempotency key.
    """
    call = name_call(user, "event", key, request)
    now = context.clock.now()
    event = _draft(context, user.tenant, request, now)
    _check_schedule(event)
    venue = VenueRow(tenant=user.tenant, id=event.venue_id, name=read_name(request.venue_name, 200, "venue's name"))

    async def work(tx: Unit) -> OrganiserEvent:
        await tx.events.add_tenant(UNNAMED_TENANT)
        await tx.events.add_venue(venue)
        await tx.events.add(event)
        await tx.organising.change_event(event, tell_gates=False)
        await tx.outbox.append(event.id, [PolicyEntry(seq=0, policy=event.policy)])
        return view_event(await find_event(tx, event.id), [])

    return await run_once(context.db, call, 201, work)


async def change_event(context: Context, user: User, event_id: EventId, changes: EventChanges) -> OrganiserEvent:
    """Change what an event says of itself and of its sale.

    Raises:
        EventUnknown: none of this tenant's.
        VersionStale: somebody else changed it meanwhile.
        EventStateWrong: it is over.
        NameUnusable, ScheduleInvalid: of what was given.
    """
    async with context.db.tenant(user.tenant) as tx:
        before = await lock_going_event(tx, event_id, changes.version)
        given = _given(changes, _EVENT_FIELDS)
        if isinstance(changes.name, str):
            given["name"] = read_name(changes.name, 200, "event's name")
        after = replace(before, **given)
        _check_schedule(after)
        await tx.organising.change_event(after, tell_gates=after.name != before.name)
        if after.nft is not before.nft:
            await tx.assets.wish_missing(event_id, context.clock.now())
        return await _view(tx, event_id)


async def change_policy(context: Context, user: User, event_id: EventId, changes: PolicyChanges) -> OrganiserEvent:
    """Change the rules of entry; gates are given them at once.

    Raises:
        EventUnknown: none of this tenant's.
        VersionStale: somebody else changed it meanwhile.
        EventStateWrong: it is over.
        ScheduleInvalid: the rules do not fit together.
    """
    async with context.db.tenant(user.tenant) as tx:
        before = await lock_going_event(tx, event_id, changes.version)
        window = replace(before.policy.window, **_given(changes, _WINDOW_FIELDS))
        given = _given(changes, _POLICY_FIELDS)
        rules = before.policy if changes.template is UNSET else make_policy(changes.template, window)
        policy = replace(rules, version=before.policy.version + 1, window=window, **given)
        after = replace(before, policy=policy)
        _check_schedule(after)
        await tx.organising.change_event(after, tell_gates=True)
        await tx.outbox.append(event_id, [PolicyEntry(seq=0, policy=policy)])
        return await _view(tx, event_id)


async def open_event(context: Context, user: User, event_id: EventId) -> OrganiserEvent:
    """Publish a draft: from now on it is sold in its sale window.

    Raises:
        EventUnknown: none of this tenant's.
        EventStateWrong: it is no draft any more.
        EventNotReady: it sells nothing, or is over already.
    """
    async with context.db.tenant(user.tenant) as tx:
        event = await tx.events.lock(event_id)
        if event is None:
            raise EventUnknown("There is no such event.")
        if event.state is not EventState.DRAFT:
            raise EventStateWrong(f"This event is {event.state}: only a draft can be opened.")
        if not any(one.total > 0 for one in await tx.stock.of_event(event_id)):
            raise EventNotReady("Add a ticket type with at least one place first.")
        if context.clock.now() >= event.policy.window.ends:
            raise EventNotReady("The event is over already: give it other times first.")
        await tx.organising.change_event(replace(event, state=EventState.OPEN), tell_gates=False)
        return await _view(tx, event_id)


async def list_events(context: Context, user: User, page: Page) -> Listed[OrganiserEvent]:
    """Return the tenant's events in any state, newest first, with their stock."""
    async with context.db.tenant(user.tenant) as tx:
        rows = await tx.organising.list_events(Page(after=page.after, limit=page.limit + 1))
        shown = rows[: page.limit]
        types = await tx.stock.of_events([row.id for row in shown])
        items = [view_event(row, [one for one in types if one.event == row.id]) for row in shown]
    return Listed(items=items, next_after=shown[-1].id if len(rows) > page.limit else None)


async def read_event(context: Context, user: User, event_id: EventId) -> OrganiserEvent:
    """Return an event in any state with its stock.

    Raises:
        EventUnknown: none of this tenant's.
    """
    async with context.db.tenant(user.tenant) as tx:
        return await _view(tx, event_id)


async def find_event(tx: Unit, event_id: EventId) -> EventRow:
    """Return an event in any state.

    Raises:
        EventUnknown: none of this tenant's.
    """
    event = await tx.events.get(event_id)
    if event is None:
        raise EventUnknown("There is no such event.")
    return event


async def lock_going_event(tx: Unit, event_id: EventId, version: int | None = None) -> EventRow:
    """Return and lock an event that is neither closed nor cancelled, as the caller has read it if a version is named.

    Raises:
        EventUnknown: none of this tenant's.
        EventStateWrong: it is over.
        VersionStale: it has another version by now.
    """
    event = await tx.events.lock(event_id)
    if event is None:
        raise EventUnknown("There is no such event.")
    if event.state not in {EventState.DRAFT, EventState.OPEN}:
        raise EventStateWrong(f"This event is {event.state}: it stays as it is.")
    if version is not None and version != event.version:
        raise VersionStale(f"The event has version {event.version} by now: read it again and decide anew.")
    return event


_EVENT_FIELDS = {
    "sale_starts_at": "sale_starts",
    "sale_ends_at": "sale_ends",
    "max_per_user": "max_per_user",
    "reveal_at": "reveal_at",
    "transfer_rules": "transfer_rules",
    "refund_rules": "refund_rules",
    "nft": "nft",
}
_WINDOW_FIELDS = {"doors_at": "doors", "starts_at": "starts", "ends_at": "ends", "grace_s": "grace_s"}
_POLICY_FIELDS = {
    name: name
    for name in (
        "re_entries",
        "exits",
        "cooldown_s",
        "double_read_s",
        "unknown",
        "static_codes",
        "id_check",
        "capacity",
        "gate_limits",
        "area_limits",
        "stale_after_s",
        "when_stale",
        "unsure_after_s",
        "when_cloned",
    )
}


def _given(changes: Struct, names: dict[str, str]) -> dict[str, object]:
    given = {target: getattr(changes, name) for name, target in names.items()}
    return {target: value for target, value in given.items() if value is not UNSET}


def _draft(context: Context, tenant: TenantId, request: EventRequest, now: datetime) -> EventRow:
    window = Window(doors=request.doors_at, starts=request.starts_at, ends=request.ends_at)
    if not is_plausible(window.doors):
        raise ScheduleInvalid("Every time is in the years 2000 to 2149.")
    reveal_at = request.reveal_at or window.doors - REVEAL_AHEAD
    # Key epochs are counted from before anything can be shown, whenever the organiser moves that moment to.
    first = min(now, reveal_at) if is_plausible(reveal_at) else now
    return EventRow(
        tenant=tenant,
        id=EventId(uuid7(now, context.random_bytes)),
        venue_id=request.venue_id or VenueId(uuid5(tenant, "venue/" + request.venue_name.strip())),
        name=read_name(request.name, 200, "event's name"),
        state=EventState.DRAFT,
        policy=make_policy(request.template, window),
        sale_starts=request.sale_starts_at,
        sale_ends=request.sale_ends_at,
        max_per_user=request.max_per_user,
        slot_s=request.slot_s,
        epoch_zero=first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0),
        epoch_s=request.epoch_s,
        reveal_at=reveal_at,
        bundle_version=1,
        transfer_rules=request.transfer_rules,
        refund_rules=request.refund_rules,
        nft=request.nft,
    )


def _check_schedule(event: EventRow) -> None:
    rules = event.transfer_rules
    schedule = Schedule(
        policy=event.policy,
        sale_starts=event.sale_starts,
        sale_ends=event.sale_ends,
        reveal_at=event.reveal_at,
        first_code=event.epoch_zero,
        others=tuple(one for one in (rules.blackout_from, rules.blackout_until) if one is not None),
    )
    refusal = refuse_schedule(schedule)
    if refusal is not None:
        raise ScheduleInvalid(refusal)


async def _view(tx: Unit, event_id: EventId) -> OrganiserEvent:
    return view_event(await find_event(tx, event_id), await tx.stock.of_event(event_id))
