"""A shop that also sells numbered seats, and what the database says of its stock when nobody is asked politely."""

from __future__ import annotations

from uuid import uuid4

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from server.domain.access import Role, User
from server.services.event_views import OrganiserType
from server.services.reservation_view import Reserved
from server.services.reserve import ReserveRequest, reserve
from server.services.rows import Page
from server.services.seats import SeatsRequest, create_seats, list_seats
from server.services.stock_care import TypeRequest, add_type
from shared.ids import TicketId, TicketTypeId, UserId
from tests.integration.server.selling.stage import Shop, fresh_key

COUNTED = """
SELECT y.id, y.total, y.available, y.reserved, y.sold, y.seated,
  (SELECT coalesce(sum(l.quantity), 0) FROM reservations r
   JOIN reservation_lines l ON (l.tenant_id, l.reservation_id) = (r.tenant_id, r.id)
   WHERE r.state = 'pending' AND (l.tenant_id, l.ticket_type_id) = (y.tenant_id, y.id)) AS held,
  (SELECT count(*) FROM tickets t WHERE (t.tenant_id, t.ticket_type_id) = (y.tenant_id, y.id)
   AND t.state IN ('sold', 'active', 'transferred', 'checked_in')) AS owned,
  (SELECT count(*) FROM tickets t WHERE (t.tenant_id, t.ticket_type_id) = (y.tenant_id, y.id)
   AND t.state = 'available') AS free_seats,
  (SELECT count(*) FROM tickets t WHERE (t.tenant_id, t.ticket_type_id) = (y.tenant_id, y.id)
   AND t.state = 'reserved') AS held_seats
FROM ticket_types y WHERE y.tenant_id = $1
"""


class Stalls(Struct, frozen=True, kw_only=True, eq=False):
    """A seated type of a shop's event: its seats in order, by the ids they are reserved by."""

    shop: Shop
    kind: TicketTypeId
    seats: list[TicketId]

    async def take(self, buyer: User, *seats: int, key: str | None = None) -> Reserved:
        """Hold seats by their numbers."""
        order = ReserveRequest(event_id=self.shop.event, seats=[self.seats[number] for number in seats])
        answer = await reserve(self.shop.context, buyer, key or fresh_key(), order)
        return msgspec.json.decode(answer.body, type=Reserved)

    async def free(self) -> list[str]:
        """Return the labels of the seats that the public list shows as free."""
        seats = await list_seats(self.shop.context, organiser(self.shop), self.shop.event, self.kind, Page(limit=100))
        return sorted(one.label for one in seats.items if one.free)


async def open_stalls(shop: Shop, *, rows: int = 10, price_cents: int = 8000, max_per_order: int = 10) -> Stalls:
    """Add a seated type with seats A 1, A 2 and so on."""
    user = organiser(shop)
    wanted = TypeRequest(
        name="Stalls", price_cents=price_cents, currency="EUR", seated=True, max_per_order=max_per_order
    )
    made = await add_type(shop.context, user, fresh_key(), shop.event, wanted)
    kind = msgspec.json.decode(made.body, type=OrganiserType).id
    labels = [f"A {number}" for number in range(1, rows + 1)]
    request = SeatsRequest(ticket_type_id=kind, labels=labels)
    await create_seats(shop.context, user, fresh_key(), shop.event, request)
    seats = await list_seats(shop.context, user, shop.event, kind, Page(limit=100))
    ids = {one.label: one.seat_id for one in seats.items if one.seat_id is not None}
    return Stalls(shop=shop, kind=kind, seats=[ids[label] for label in labels])


def organiser(shop: Shop) -> User:
    """Return somebody who may shape the shop's event."""
    return User(tenant=shop.tenant, user=UserId(uuid4()), role=Role.VENUE_MANAGER)


async def faults_of_stock(shop: Shop) -> list[str]:
    """Return where the counters of the shop's ticket types and the rows they count disagree."""
    async with shop.parts.database.worker() as unit:
        rows = await unit._connection.fetch(COUNTED, shop.tenant)
    faults = []
    for row in rows:
        if row["available"] + row["reserved"] + row["sold"] != row["total"]:
            faults.append(f"{row['id']}: parts and total")
        if (row["reserved"], row["sold"]) != (row["held"], row["owned"]):
            faults.append(f"{row['id']}: {dict(row)}")
        if row["seated"] and (row["available"], row["reserved"]) != (row["free_seats"], row["held_seats"]):
            faults.append(f"{row['id']}: seats {dict(row)}")
    return faults


async def change_event(shop: Shop, **changes: object) -> None:
    """Have the organiser change the shop's event."""
    async with shop.context.db.tenant(shop.tenant) as tx:
        event = await tx.events.lock(shop.event)
        assert event is not None
        await tx.organising.change_event(replace(event, **changes), tell_gates=False)
