"""Which of two ways a gate takes, and when it comes back to the better one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from gate.outcome import LOGIN_PAGE
from gate.sync.problems import GateRefused, NotOurServer, ServerAway
from gate.sync.ways import Way, Ways, WayTimes
from shared.problems import InputUnusable, TicketTokenError
from shared.sync.wire import GateFrame, ServerFrame

QUICK = WayTimes(first_s=0.01, longest_s=0.02, short_s=0.0)


class Pipe:
    """A link that does nothing but end."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it."""
        return not self.closed.is_set()

    async def send(self, frame: GateFrame) -> None:
        """Take a frame."""

    async def frames(self) -> AsyncIterator[ServerFrame]:
        """Yield nothing."""
        await self.closed.wait()
        nothing: list[ServerFrame] = []
        for frame in nothing:
            yield frame

    async def close(self) -> None:
        """End it."""
        self.closed.set()


class Doors:
    """Both ways, as a test wants them; what was asked for is noted."""

    def __init__(self) -> None:
        self.broker: TicketTokenError | None = None
        self.socket: TicketTokenError | None = None
        self.found = True
        self.asked: list[bool] = []
        self.dials = 0

    async def find(self, renew: bool) -> Doors | None:
        """Be the finder."""
        self.asked.append(renew)
        return self if self.found else None

    async def connect(self) -> Pipe:
        """Be the broker's dialler."""
        self.dials += 1
        if self.broker is not None:
            raise self.broker
        return Pipe()


class SocketDoor:
    """The other way."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    async def connect(self) -> Pipe:
        """Connect, or not."""
        if self._doors.socket is not None:
            raise self._doors.socket
        return Pipe()


@asynccontextmanager
async def keeping(ways: Ways) -> AsyncIterator[None]:
    """Look for the better way beside the block."""
    task = asyncio.ensure_future(ways.keep())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await ways.close()


def make(doors: Doors, times: WayTimes = QUICK) -> Ways:
    return Ways(doors.find, SocketDoor(doors), times)


async def ended(link: object) -> None:
    assert isinstance(link, Pipe)
    async with asyncio.timeout(20):
        await link.closed.wait()


async def test_the_broker_is_taken_where_there_is_one() -> None:
    ways = make(Doors())
    await ways.connect()
    assert ways.way is Way.BROKER


@pytest.mark.parametrize("problem", [ServerAway("x"), NotOurServer("x"), GateRefused("x"), InputUnusable("x")])
async def test_whatever_is_wrong_with_the_broker_the_websocket_is_taken(problem: TicketTokenError) -> None:
    doors = Doors()
    doors.broker = problem
    ways = make(doors)
    await ways.connect()
    assert ways.way is Way.WEBSOCKET


async def test_when_neither_works_it_says_what_the_websocket_met_with() -> None:
    doors = Doors()
    doors.broker, doors.socket = ServerAway("the broker"), NotOurServer("a login page")
    with pytest.raises(NotOurServer, match="a login page"):
        await make(doors).connect()


async def test_it_comes_back_once_the_broker_answers_and_gives_the_connection_it_made() -> None:
    doors = Doors()
    doors.broker = ServerAway("x")
    ways = make(doors)
    link = await ways.connect()
    async with keeping(ways):
        doors.broker = None
        await ended(link)
        before = doors.dials
        again = await ways.connect()
        assert ways.way is Way.BROKER
        assert doors.dials == before
        assert isinstance(again, Pipe)
        assert again.is_open


async def test_a_refused_account_is_asked_for_anew_and_so_is_one_that_is_missing() -> None:
    for refusal, found in ((GateRefused("x"), True), (None, False)):
        doors = Doors()
        doors.broker, doors.found = refusal, found
        ways = make(doors)
        link = await ways.connect()
        assert doors.asked == [False]
        async with keeping(ways):
            async with asyncio.timeout(20):
                while True not in doors.asked:  # noqa: ASYNC110 - the asking itself is what is waited for
                    await asyncio.sleep(0)
            doors.broker, doors.found = None, True
            await ended(link)


@pytest.mark.parametrize(
    ("had_one", "asked"), [(True, [False, False, True, False, True]), (False, [False, True, False, True, False])]
)
async def test_a_new_account_is_tried_once_more_before_another_is_asked_for(had_one: bool, asked: list[bool]) -> None:
    doors = Doors()
    doors.broker, doors.found = GateRefused("x"), had_one
    ways = make(doors)
    await ways.connect()
    doors.found = True
    async with keeping(ways), asyncio.timeout(20):
        while len(doors.asked) < len(asked):  # noqa: ASYNC110 - the asking itself is what is waited for
            await asyncio.sleep(0)
    assert doors.asked[: len(asked)] == asked


async def test_a_broker_that_breaks_every_link_at_once_is_left_for_a_while() -> None:
    ways = make(Doors(), WayTimes(first_s=1000, longest_s=1000, short_s=1000))
    link = await ways.connect()
    await link.close()
    await ways.connect()
    assert ways.way is Way.WEBSOCKET


async def test_a_broker_that_does_not_answer_does_not_hold_up_every_connection() -> None:
    doors = Doors()
    doors.broker = ServerAway("x")
    ways = make(doors, WayTimes(first_s=1000, longest_s=1000))
    for _ in range(3):
        await ways.connect()
    assert doors.dials == 1


def test_what_the_screen_calls_a_login_page_is_what_the_link_met_with() -> None:
    assert NotOurServer.code == LOGIN_PAGE
