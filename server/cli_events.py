"""`tickettoken events`: seen, put on sale, closed and called off."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping

from msgspec import Struct

from server.cli_office import OPERATOR, SOURCE, Office, end_progress, operator, plain, run, show_progress
from server.services.endings import EndingOrder, EndingView, begin_ending, read_ending, step_ending
from server.services.event_views import OrganiserEvent
from server.services.events import list_events, open_event, read_event
from server.services.problems_organiser import EndingAway
from server.services.rows import Page
from server.services.rows_organiser import EndingKind, EndingState
from shared.ids import EventId, TenantId

_PAGE = 100
_WAIT_S = 0.2
_MOST_WAITS = 300


class OwnedEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """An event and whose it is."""

    tenant_id: TenantId
    event: OrganiserEvent


def listing(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Show events."""
    return run(arguments, environ, _list)


def show(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Show one event."""
    return run(arguments, environ, _show)


def open_sale(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Put a draft on sale."""
    return run(arguments, environ, _open)


def close(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """End an event that is over."""
    return run(arguments, environ, _close)


def cancel(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Call an event off."""
    return run(arguments, environ, _cancel)


async def _list(arguments: argparse.Namespace, office: Office) -> None:
    found: list[OwnedEvent] = []
    for tenant in office.tenants:
        found += await _events_of(office, tenant, arguments.limit - len(found))
    lines = [_line(one.event) for one in found] or ["no events yet"]
    office.tell(found, *lines)


async def _events_of(office: Office, tenant: TenantId, limit: int) -> list[OwnedEvent]:
    found: list[OwnedEvent] = []
    page: Page | None = Page(limit=_PAGE)
    while page is not None and len(found) < limit:
        listed = await list_events(office.context, operator(tenant), page)
        found += [OwnedEvent(tenant_id=tenant, event=one) for one in listed.items]
        page = None if listed.next_after is None else Page(after=listed.next_after, limit=_PAGE)
    return found[: max(0, limit)]


async def _show(arguments: argparse.Namespace, office: Office) -> None:
    tenant = await office.owner_of_event(EventId(arguments.event))
    event = await read_event(office.context, operator(tenant), EventId(arguments.event))
    office.tell(OwnedEvent(tenant_id=tenant, event=event), *describe_event(tenant, event))


async def _open(arguments: argparse.Namespace, office: Office) -> None:
    tenant = await office.owner_of_event(EventId(arguments.event))
    event = await open_event(office.context, operator(tenant), EventId(arguments.event))
    office.tell(
        OwnedEvent(tenant_id=tenant, event=event), f"'{plain(event.name)}' is open: it sells in its sale window"
    )


async def _close(arguments: argparse.Namespace, office: Office) -> None:
    await _end(arguments, office, EndingKind.CLOSE)


async def _cancel(arguments: argparse.Namespace, office: Office) -> None:
    await _end(arguments, office, EndingKind.CANCEL)


async def _end(arguments: argparse.Namespace, office: Office, kind: EndingKind) -> None:
    event = EventId(arguments.event)
    tenant = await office.owner_of_event(event)
    order = EndingOrder(
        event=event,
        kind=kind,
        reason=arguments.reason or "",
        actor=OPERATOR,
        source=SOURCE,
        force=getattr(arguments, "force", False),
    )
    ending = await begin_ending(office.context, tenant, order)
    if ending.state is EndingState.RUNNING:
        ending = await _finish(office, tenant, ending)
    office.tell(ending, *describe_ending(ending))


async def _finish(office: Office, tenant: TenantId, ending: EndingView) -> EndingView:
    """Do what is left, beside a server that may be at work on it as well: each batch is done by one of the two."""
    word = "closing" if ending.kind is EndingKind.CLOSE else "cancelling"
    waits = 0
    while ending.state is EndingState.RUNNING:
        advanced = await step_ending(office.context, tenant, ending.event_id)
        ending = await read_ending(office.context, tenant, ending.event_id)
        show_progress(word, ending.done, ending.total)
        if advanced or ending.state is EndingState.DONE:
            continue
        waits += 1
        if waits > _MOST_WAITS:
            raise EndingAway("Somebody else is at work on it and does not get on: run this again to look.")
        await asyncio.sleep(_WAIT_S)
    end_progress()
    return ending


def describe_event(tenant: TenantId, event: OrganiserEvent) -> list[str]:
    """Return an event for people."""
    policy = event.policy
    lines = [
        f"{event.id}  {plain(event.name)}",
        f"  state     {event.status} (version {event.version}), of tenant {tenant}",
        f"  doors     {policy.doors_at:%Y-%m-%d %H:%M} UTC, from {policy.starts_at:%H:%M} to {policy.ends_at:%H:%M}",
        f"  sale      {event.sale_starts_at:%Y-%m-%d %H:%M} to {event.sale_ends_at:%Y-%m-%d %H:%M} UTC",
        f"  places    {event.total}: {event.available} free, {event.reserved} held, {event.sold} sold",
    ]
    for one in event.ticket_types:
        price = f"{one.price_cents / 100:.2f} {one.currency}"
        counts = f"{one.available} free, {one.reserved} held, {one.sold} sold"
        lines.append(f"  type      {one.id}  {plain(one.name)}, {price}: {counts}")
    return lines


def describe_ending(ending: EndingView) -> list[str]:
    """Return how an event ended, for people."""
    became = {
        "used": ending.used,
        "expired": ending.expired,
        "cancelled": ending.cancelled,
        "revoked": ending.revoked,
    }
    parts = [f"{count} {word}" for word, count in became.items() if count]
    lines = [f"{ending.done} of {ending.total} tickets ended" + (f": {', '.join(parts)}" if parts else "")]
    if ending.reservations or ending.transfers:
        lines.append(f"taken back: {ending.reservations} reservations, {ending.transfers} offers")
    if ending.refunds:
        lines.append(f"to be paid back: {ending.refunds} tickets, listed under /api/v1/events/ID/refunds-due")
    return lines


def _line(event: OrganiserEvent) -> str:
    doors = f"{event.policy.doors_at:%Y-%m-%d}"
    return f"{event.id}  {event.status:<9}  {doors}  {event.sold:>7} of {event.total:<7} sold  {plain(event.name)}"
