"""A thousand guests in front of one lane: what each of them holds up, on what, and what the gate has to answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from gate.film.script import Showing
from gate.store.world import open_world
from shared.admission.policy import Unknown
from shared.admission.verdict import Reason
from shared.clock import unix_ms
from shared.codes.capsule import CodePolicy
from shared.sync.feed import FeedEntry, GateEntry, PolicyEntry, TombstoneEntry
from shared.sync.scan import hash_code
from shared.tickets.lifecycle import State
from tests.integration.gate.venue import NORTH, SOUTH, Ticket, Venue, enrol_by_hand, identity, passage

SLOT_S = 600
"""Codes turn so slowly that none grows old between being filmed and being read, and so fast that old ones can be shown."""

FIRST_HALF, SECOND_HALF = 520, 480
_ZONE_OF_GATE, _ZONE_ELSEWHERE = 0b01, 0b10
_PRODUCTS_OF_GATE = (1,)
_COPIED_EVERY = 8
_ODD_EVERY = 5
_PAIRED_EVERY = 5


class Guest(Struct, frozen=True, kw_only=True):
    """Somebody in the queue: the code's text, what it is shown on, and the only right answer."""

    text: str
    kind: Showing
    expected: Reason

    @property
    def code(self) -> str:
        """Return the name under which the gate's output speaks of the code."""
        return hash_code(self.text).hex()


Case = Callable[["House", int], Guest]


class House:
    """The event as the gate knows it, and the queue in front of it."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.venue = Venue(now, slot_s=SLOT_S)
        # A copy is shown within seconds of the code it was copied from when films are played faster than filmed.
        self.venue.policy = replace(self.venue.policy, double_read_s=0, static_codes=True, unknown=Unknown.ADMIT)
        self._entries: list[FeedEntry] = []
        self._add(lambda seq: PolicyEntry(seq=seq, policy=self.venue.policy))
        self._add(lambda seq: GateEntry(seq=seq, gate=SOUTH, name="South 1"))

    async def furnish(self, directory: Path) -> None:
        """Make a gate that leads to one zone and serves one kind of ticket, and that knows all of the queue's tickets."""
        who = replace(identity(), zones=_ZONE_OF_GATE, products=_PRODUCTS_OF_GATE)
        keys = await asyncio.to_thread(enrol_by_hand, directory, who)
        world = await open_world(directory)
        try:
            await world.apply(self._entries, len(self._entries))
            await world.keep_bundle(1, self.venue.bundle(NORTH, keys.seal.public_key()))
            await world.confirm(1)
        finally:
            await world.close()

    def queue(self) -> tuple[list[Guest], list[Guest]]:
        """Return who comes first and who comes later; among the later ones are copies of what the first ones showed."""
        first = [self._guest(number) for number in range(1, FIRST_HALF + 1)]
        good = [guest for guest in first if guest.expected is Reason.OK]
        copied = [replace(guest, expected=Reason.ALREADY_USED, kind=Showing.PHONE) for guest in good[::_COPIED_EVERY]]
        fresh = range(FIRST_HALF + 1, FIRST_HALF + SECOND_HALF - len(copied) + 1)
        return first, [*copied, *(self._guest(number) for number in fresh)]

    def know(self, ticket: Ticket, **changes: object) -> None:
        """Let the gate know a ticket, in some state."""
        self._add(lambda seq: replace(ticket.entry, **{"seq": seq, **changes}))

    def _add(self, make: Callable[[int], FeedEntry]) -> None:
        self._entries.append(make(len(self._entries) + 1))

    def let_in_at_south(self, ticket: Ticket) -> None:
        """Let the gate hear that the other gate admitted somebody ten minutes ago."""
        number = len(self._entries) + 1
        at_ms = unix_ms(self.now - timedelta(minutes=10))
        self._add(lambda seq: passage(ticket, gate=SOUTH, at_ms=at_ms, seq=seq, number=number))

    def replace_generation(self, ticket: Ticket) -> None:
        """Let the gate hear that a ticket went to somebody else."""
        self._add(lambda seq: TombstoneEntry(seq=seq, handle_hash=ticket.entry.handle_hash, version=2))

    def _guest(self, number: int) -> Guest:
        if number % _ODD_EVERY == 0:
            turn = number // _ODD_EVERY
            return replace(_CASES[turn % len(_CASES)](self, number), kind=_KINDS[turn % len(_KINDS)])
        ticket = self.venue.ticket(number)
        self.know(ticket)
        kind = _KINDS[number % len(_KINDS)]
        text = self.venue.printed(ticket) if kind is Showing.PAPER else self.venue.code(ticket, self.now)
        return Guest(text=text, kind=kind, expected=Reason.OK)


def in_pairs(guests: list[Guest]) -> Iterator[tuple[Guest, ...]]:
    """Yield who stands before the camera together: every fifth has somebody beside them."""
    waiting = list(reversed(guests))
    number = 0
    while waiting:
        number += 1
        both = number % _PAIRED_EVERY == 0 and len(waiting) > 1
        yield (waiting.pop(), waiting.pop()) if both else (waiting.pop(),)


def require_a_mix(halves: tuple[list[Guest], list[Guest]]) -> None:
    """Make sure that the queue has in it what it is said to have, as it is filmed.

    Two who stand together hold the same kind of thing, the first one's. Everything there is to hold up comes many times, with
    people let in and people refused for many reasons; so do pairs, many of whom get different answers.
    """
    groups = [group for half in halves for group in in_pairs(half)]
    shown: dict[Showing, list[Reason]] = {kind: [] for kind in Showing}
    for group in groups:
        shown[group[0].kind] += [guest.expected for guest in group]
    pairs = [group for group in groups if len(group) == 2]
    assert {kind for kind, expected in shown.items() if len(expected) < 50} == set()
    assert {kind for kind, expected in shown.items() if len(set(expected)) < 10} == set()
    assert len(pairs) >= 150
    assert sum(first.expected is not second.expected for first, second in pairs) >= 50
    assert {group[0].kind for group in pairs} == set(Showing)
    assert {reason for expected in shown.values() for reason in expected} == EXPECTED


def _in_state(expected: Reason, **changes: object) -> Case:
    def make(house: House, number: int) -> Guest:
        ticket = house.venue.ticket(number)
        house.know(ticket, **changes)
        return _on_phone(house.venue.code(ticket, house.now), expected)

    return make


def _at_time(expected: Reason, off: timedelta) -> Case:
    def make(house: House, number: int) -> Guest:
        ticket = house.venue.ticket(number)
        house.know(ticket)
        return _on_phone(house.venue.code(ticket, house.now + off), expected)

    return make


def _forged(house: House, number: int) -> Guest:
    genuine = house.venue.code(house.venue.ticket(number), house.now)
    place = len(genuine) // 2
    return _on_phone(
        genuine[:place] + ("7" if genuine[place] != "7" else "3") + genuine[place + 1 :], Reason.CODE_FORGED
    )


def _sold_after_the_snapshot(house: House, number: int) -> Guest:
    return _on_phone(house.venue.code(house.venue.ticket(number), house.now), Reason.OK)


def _somebody_elses_code(_house: House, number: int) -> Guest:
    return _on_phone(f"HTTPS://MENU.EXAMPLE.ORG/TABLE/{number}", Reason.CODE_UNREADABLE)


def _another_day(house: House, number: int) -> Guest:
    other = Venue(house.now, slot_s=SLOT_S)
    other.epoch += 1
    return _on_phone(other.code(other.ticket(number), house.now), Reason.EPOCH_UNKNOWN)


def _in_at_south(house: House, number: int) -> Guest:
    ticket = house.venue.ticket(number)
    house.know(ticket)
    house.let_in_at_south(ticket)
    return _on_phone(house.venue.code(ticket, house.now), Reason.ALREADY_USED_ELSEWHERE)


def _given_away(house: House, number: int) -> Guest:
    ticket = house.venue.ticket(number)
    house.know(ticket)
    house.replace_generation(ticket)
    return _on_phone(house.venue.code(ticket, house.now), Reason.TRANSFERRED_OR_REISSUED)


def _on_phone(text: str, expected: Reason) -> Guest:
    return Guest(text=text, kind=Showing.PHONE, expected=expected)


_HOUR_MS = 3_600_000
_KINDS = (
    *(Showing.PHONE, Showing.PAPER, Showing.PHONE, Showing.DARK_MODE, Showing.PHONE, Showing.GLARE, Showing.PHONE),
    *(Showing.PAPER, Showing.DIM, Showing.PHONE, Showing.SMALL),
)
_CASES: tuple[Case, ...] = (
    _at_time(Reason.CODE_STALE, -timedelta(minutes=40)),
    _at_time(Reason.CODE_FUTURE, timedelta(minutes=40)),
    _forged,
    _somebody_elses_code,
    _another_day,
    _sold_after_the_snapshot,
    _in_at_south,
    _given_away,
    _in_state(Reason.REVOKED, state=State.REVOKED),
    _in_state(Reason.REFUNDED, state=State.REFUNDED),
    _in_state(Reason.CANCELLED, state=State.CANCELLED),
    _in_state(Reason.UNPAID, state=State.SOLD),
    _in_state(Reason.ALREADY_USED, state=State.USED),
    _in_state(Reason.LOCKED, locked=True),
    _in_state(Reason.WRONG_ZONE, zones=_ZONE_ELSEWHERE),
    _in_state(Reason.WRONG_PRODUCT, product=2),
    _in_state(Reason.ID_CHECK_REQUIRED, code_policy=int(CodePolicy.ID_CHECK)),
    _in_state(Reason.SUPERVISOR_REQUIRED, code_policy=int(CodePolicy.ONLINE_ONLY)),
    _in_state(Reason.EXPIRED, valid_until_ms=_HOUR_MS),
    _in_state(Reason.NOT_YET_VALID, valid_from_ms=4_000_000_000_000),
)
EXPECTED = frozenset(
    {
        *(Reason.OK, Reason.ALREADY_USED, Reason.ALREADY_USED_ELSEWHERE, Reason.CODE_STALE, Reason.CODE_FUTURE),
        *(Reason.CODE_FORGED, Reason.CODE_UNREADABLE, Reason.EPOCH_UNKNOWN, Reason.TRANSFERRED_OR_REISSUED),
        *(Reason.REVOKED, Reason.REFUNDED, Reason.CANCELLED, Reason.UNPAID, Reason.LOCKED, Reason.WRONG_ZONE),
        *(Reason.WRONG_PRODUCT, Reason.ID_CHECK_REQUIRED, Reason.SUPERVISOR_REQUIRED, Reason.EXPIRED),
        Reason.NOT_YET_VALID,
    }
)
"""Every answer that somebody in the queue has to get."""
