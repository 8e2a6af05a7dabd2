"""What did not get through, for a person to decide: messages nobody could handle, and facts nobody could be told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from server.services.ports_bus import Bus, DeadLetter
from server.services.ports_facts import RefusalDatabase
from server.services.rows_facts import ParkedFact, RefusedMessage

OUTGOING = "facts"
"""Where facts wait that were to be published: the table, not a queue of the broker."""

_REASONS = {
    "rejected": "it was refused, the reason is not known any more",
    "delivery_limit": "every attempt failed: the log says why, by this message id",
}


class Stranded(Struct, frozen=True, kw_only=True, rename="camel"):
    """One message that did not get through; ``queue`` is where a replay puts it."""

    message_id: str
    queue: str
    key: str
    since: datetime | None
    code: str
    reason: str
    body: str


class Replayed(Struct, frozen=True, kw_only=True, rename="camel"):
    """How many messages are on their way again."""

    letters: int
    facts: int


async def list_stranded(bus: Bus | None, database: RefusalDatabase, limit: int) -> list[Stranded]:
    """Return up to ``limit`` of each kind, oldest first; without a broker there are facts alone.

    Raises:
        Unavailable: the broker or the database is away.
    """
    letters = await bus.list_dead(limit) if bus is not None else []
    async with database.worker() as unit:
        reasons = await unit.refusals.refusals([letter.message_id for letter in letters])
        parked = await unit.refusals.parked(limit)
    known = {reason.message_id: reason for reason in reasons}
    return [_show_letter(one, known.get(one.message_id)) for one in letters] + [_show_fact(one) for one in parked]


async def replay_stranded(bus: Bus | None, database: RefusalDatabase, ids: Collection[str] | None) -> Replayed:
    """Put messages back to where they failed, all with None.

    Raises:
        Unavailable: the broker or the database is away; what was not put back is still where it was.
    """
    letters = await bus.replay_dead(ids) if bus is not None else 0
    async with database.worker() as unit:
        facts = await unit.refusals.release_parked(None if ids is None else _read_ids(ids))
    return Replayed(letters=letters, facts=facts)


def _show_letter(letter: DeadLetter, why: RefusedMessage | None) -> Stranded:
    return Stranded(
        message_id=letter.message_id,
        queue=letter.queue,
        key=letter.key,
        since=letter.died,
        code=why.code if why is not None else letter.reason,
        reason=why.reason if why is not None else _REASONS.get(letter.reason, letter.reason),
        body=letter.body.decode(errors="replace"),
    )


def _show_fact(fact: ParkedFact) -> Stranded:
    return Stranded(
        message_id=str(fact.message_id),
        queue=OUTGOING,
        key=fact.key,
        since=fact.parked_at,
        code=fact.problem,
        reason="it cannot be published as it is: look at the row in the table `facts`",
        body="",
    )


def _read_ids(ids: Collection[str]) -> list[UUID]:
    """Return those that can be facts' ids; other programs' message ids may look like anything."""
    found = []
    for text in ids:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
