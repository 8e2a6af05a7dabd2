"""Checking in by way of the server: a scan of the event's server gate, decided by the same rule, kept in the same log.

Check-ins of one event come one after the other, for they are records of one log. So those that arrive while others are being
written down wait, and are then written down together: what one costs in round trips, many cost as well.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Sequence
from contextvars import Context as Variables

import structlog
from msgspec import Struct

from server.domain.access import User
from server.services.checkin_batch import Outcome, check_in_all
from server.services.checkin_cases import CheckedIn, CheckinRequest, Visit, check_request
from server.services.context import Context
from server.services.correlation import correlating, present_correlation
from server.services.scan_code import ReaderShelf, hint_of
from shared.ids import TenantId, TicketId
from shared.problems import Unavailable

__all__ = ["CheckedIn", "CheckinDesk", "CheckinRequest", "check_in"]

_MOST_TOGETHER = 64
_MOST_SHELVES = 64
_Lane = tuple[TenantId, int | None]

log = structlog.get_logger()


class _Waiting(Struct, frozen=True, kw_only=True, eq=False):
    visit: Visit
    told: asyncio.Future[CheckedIn]


class CheckinDesk:
    """Takes check-ins, those of one event in turn and as many at once as are waiting."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lanes: dict[_Lane, deque[_Waiting]] = {}
        self._shelves: OrderedDict[_Lane, ReaderShelf] = OrderedDict()
        self._serving: set[asyncio.Task[None]] = set()

    async def check_in(self, user: User, ticket_id: TicketId, request: CheckinRequest) -> CheckedIn:
        """Admit the holder of a ticket, once; a refusal that is no repetition is an answer as well.

        Durable when this returns or raises AlreadyCheckedIn. Whoever stops waiting may have been checked in all the same.

        Raises:
            TicketUnknown: the caller may scan no such ticket.
            AlreadyCheckedIn: it is in already; the problem says since when and by which gate.
            CodeNeeded, ForceUnexplained: no code although nothing is forced, or forced without a reason.
            ScopeMissing: forcing is not the caller's right.
            GateElsewhere: the gate that is named is none of the event's in service.
        """
        check_request(user, request)
        visit = Visit(user=user, ticket=ticket_id, request=request, trace=present_correlation())
        told: asyncio.Future[CheckedIn] = asyncio.get_running_loop().create_future()
        # Only a guess at the event, from what the code says of itself: whatever meets in a lane is told apart there.
        lane = (user.tenant, None if request.code is None else hint_of(request.code))
        waiting = self._lanes.get(lane)
        if waiting is None:
            self._lanes[lane] = waiting = deque()
            # In variables of its own: it works for others than the one who happened to come first.
            task = asyncio.get_running_loop().create_task(self._serve(lane, waiting), context=Variables())
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        waiting.append(_Waiting(visit=visit, told=told))
        return await told

    async def _serve(self, lane: _Lane, waiting: deque[_Waiting]) -> None:
        """Check in whoever waits in a lane until nobody does."""
        shelf = self._shelf(lane)
        try:
            while waiting:
                some = _take_some(waiting)
                if some:
                    await self._serve_some(shelf, lane[0], some)
        finally:
            del self._lanes[lane]
            for one in waiting:  # only when this is being stopped
                one.told.cancel()

    async def _serve_some(self, shelf: ReaderShelf, tenant: TenantId, some: Sequence[_Waiting]) -> None:
        visits = [one.visit for one in some]
        with correlating(visits[0].trace):
            batch = check_in_all(self._context, shelf, tenant, visits)
            (found,) = await asyncio.gather(batch, return_exceptions=True)
        if not isinstance(found, BaseException):
            for one, outcome in zip(some, found, strict=True):
                _tell(one, outcome)
        elif len(some) == 1 or isinstance(found, Unavailable):
            for one in some:
                _tell(one, found)
        else:  # one of them must not keep the others out
            log.warning("checkin.one_by_one", visits=len(some), problem=type(found).__name__)
            for one in some:
                await self._serve_some(shelf, tenant, [one])

    def _shelf(self, lane: _Lane) -> ReaderShelf:
        shelf = self._shelves.setdefault(lane, ReaderShelf())
        self._shelves.move_to_end(lane)
        if len(self._shelves) > _MOST_SHELVES:
            self._shelves.popitem(last=False)
        return shelf


async def check_in(context: Context, user: User, ticket_id: TicketId, request: CheckinRequest) -> CheckedIn:
    """Check one in alone; see ``CheckinDesk.check_in``."""
    return await CheckinDesk(context).check_in(user, ticket_id, request)


def _take_some(waiting: deque[_Waiting]) -> list[_Waiting]:
    """Return who comes next, each with a ticket of its own, without those who wait no longer."""
    some: dict[TicketId, _Waiting] = {}
    later = []
    while waiting and len(some) < _MOST_TOGETHER:
        one = waiting.popleft()
        if one.told.done():
            continue
        if one.visit.ticket in some:
            later.append(one)
        else:
            some[one.visit.ticket] = one
    waiting.extendleft(reversed(later))
    return list(some.values())


def _tell(one: _Waiting, outcome: Outcome | BaseException) -> None:
    if one.told.done():
        return
    if isinstance(outcome, BaseException):
        one.told.set_exception(outcome)
    else:
        one.told.set_result(outcome)
