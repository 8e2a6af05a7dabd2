"""The books of a shop, looked at from outside the program: whatever happened, they have to agree."""

from __future__ import annotations

from tests.integration.server.schema.connections import Connection

# Each query finds rows that contradict one another; a sound database has none.
CONTRADICTIONS = {
    "counters of a type do not add up to its total": """
        SELECT id FROM ticket_types WHERE available + reserved + sold <> total OR least(available, reserved, sold) < 0
    """,
    "a type holds more or fewer places than its open reservations": """
        SELECT t.id FROM ticket_types t LEFT JOIN (
          SELECT l.ticket_type_id AS id, sum(l.quantity) AS places
          FROM reservation_lines l JOIN reservations r USING (tenant_id)
          WHERE r.id = l.reservation_id AND r.state = 'pending' GROUP BY 1
        ) held ON held.id = t.id WHERE t.reserved <> coalesce(held.places, 0)
    """,
    "a type counts more or fewer places as sold than there are tickets that stand": """
        SELECT t.id FROM ticket_types t LEFT JOIN (
          SELECT ticket_type_id AS id, count(*) AS tickets FROM tickets
          WHERE state NOT IN ('available', 'reserved', 'refunded', 'cancelled') GROUP BY 1
        ) made ON made.id = t.id WHERE t.sold <> coalesce(made.tickets, 0)
    """,
    "a reservation is bought without an order, or the other way round": """
        SELECT coalesce(r.id, o.reservation_id) FROM reservations r FULL JOIN orders o
          ON o.tenant_id = r.tenant_id AND o.reservation_id = r.id
        WHERE (r.state = 'confirmed') IS DISTINCT FROM (o.id IS NOT NULL)
    """,
    "an order has more or fewer tickets than it paid for": """
        SELECT o.id FROM orders o
        WHERE (SELECT count(*) FROM tickets t WHERE t.order_id = o.id)
          <> (SELECT sum(quantity) FROM reservation_lines l WHERE l.reservation_id = o.reservation_id)
    """,
    "a payment bought twice": "SELECT payment_id FROM orders GROUP BY tenant_id, payment_id HAVING count(*) > 1",
    "a ticket's history is not about the ticket as it is": """
        SELECT t.id FROM tickets t LEFT JOIN LATERAL (
          SELECT to_state, version, generation FROM ticket_history h
          WHERE h.tenant_id = t.tenant_id AND h.ticket_id = t.id ORDER BY version DESC LIMIT 1
        ) last ON true
        WHERE (t.state, t.version, t.generation) IS DISTINCT FROM (last.to_state, last.version, last.generation)
    """,
    "a ticket's history has gaps": """
        SELECT ticket_id FROM ticket_history GROUP BY tenant_id, ticket_id
        HAVING count(*) <> max(version) - min(version) + 1
    """,
    "a ticket has no handle for its generation": """
        SELECT t.id FROM tickets t WHERE t.state NOT IN ('available', 'reserved') AND NOT EXISTS (
          SELECT FROM ticket_handles h WHERE h.ticket_id = t.id AND h.generation = t.generation)
    """,
    "an accepted offer's ticket was not handed over": """
        SELECT x.id FROM transfers x JOIN tickets t ON t.tenant_id = x.tenant_id AND t.id = x.ticket_id
        WHERE x.state = 'accepted' AND (t.generation = 0 OR NOT EXISTS (
          SELECT FROM ticket_history h
          WHERE h.ticket_id = t.id AND h.to_state = 'transferred' AND h.actor_id = x.to_user_id::text))
    """,
    "a ticket was handed over without an accepted offer": """
        SELECT h.ticket_id FROM ticket_history h WHERE h.source = 'transfer' AND NOT EXISTS (
          SELECT FROM transfers x
          WHERE x.ticket_id = h.ticket_id AND x.state = 'accepted' AND x.to_user_id::text = h.actor_id)
    """,
    "an order's call kept no answer": """
        SELECT o.id FROM orders o WHERE NOT EXISTS (
          SELECT FROM idempotency i
          WHERE i.user_id = o.user_id AND i.operation = 'purchase'
            AND convert_from(i.response, 'UTF8')::jsonb ->> 'orderId' = o.id::text)
    """,
    "a call kept an answer about an order there is not": """
        SELECT i.key FROM idempotency i WHERE i.operation = 'purchase' AND NOT EXISTS (
          SELECT FROM orders o WHERE convert_from(i.response, 'UTF8')::jsonb ->> 'orderId' = o.id::text)
    """,
    "a position of a feed is missing or there twice": """
        SELECT event_id FROM feed GROUP BY tenant_id, event_id
        HAVING count(*) <> max(seq) - min(seq) + 1
    """,
}


async def find_contradictions(superuser: Connection) -> list[str]:
    """Return what is wrong in a database, in words, with the first rows that say so."""
    found = []
    for name, query in CONTRADICTIONS.items():
        rows = await superuser.fetch(query)
        if rows:
            found.append(f"{name}: {[str(row[0]) for row in rows[:3]]} ({len(rows)} in all)")
    return found
