"""The links of this process: new feed entries are loaded once for each event and handed to all its gates."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from uuid import UUID

import structlog

from server.api.mailbox import Mailbox
from server.services.feed_frames import pack_frame
from server.services.ports import Database
from server.services.pulse import Beat, no_beat
from shared.ids import EventId, GateId, TenantId
from shared.problems import TicketTokenError
from shared.sync.feed import FeedEntry, GateEntry, PolicyEntry
from shared.sync.wire import Bye

CHANNEL = "feed"
LINKS = "link"
COMMANDS = "command"
FRAME_ENTRIES = 500
RETRY_S = 1.0
BEAT_S = 5.0

Listen = Callable[[Sequence[str], Callable[[str, str], None]], Awaitable[None]]
"""Reports notices on channels until cancelled; an empty payload means that some may have been lost."""

log = structlog.get_logger()


class _Channel:
    """One event's links, and how far its feed was handed to them."""

    def __init__(self, tenant: TenantId, event: EventId) -> None:
        self.tenant = tenant
        self.event = event
        self.members: dict[GateId, Mailbox] = {}
        self.position: int | None = None
        self.begun = asyncio.Lock()


class LinkHub:
    """All links of this process; one for each gate, the newer one wins."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._channels: dict[EventId, _Channel] = {}
        self._dirty: set[EventId] = set()
        self._woken = asyncio.Event()
        self._closing = False

    @property
    def count(self) -> int:
        """Return how many gates are linked to this process."""
        return sum(len(channel.members) for channel in self._channels.values())

    async def run(self, listen: Listen, beat: Beat = no_beat) -> None:
        """Hand out what is new until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(listen))
            group.create_task(self._hand_out_for_ever(beat))

    async def join(self, tenant: TenantId, gate: GateId, mailbox: Mailbox) -> None:
        """Take a link in; an older one of the same gate is ended. From here on the mailbox is offered every new entry.

        Raises:
            Unavailable: the database is away.
        """
        channel = self._channels.setdefault(mailbox.event, _Channel(tenant, mailbox.event))
        older = channel.members.pop(gate, None)
        if older is not None:
            older.end(Bye(code="superseded", message="This gate has opened another link."))
        channel.members[gate] = mailbox
        if self._closing:
            mailbox.end(_CLOSING)
        async with channel.begun:
            if channel.position is None:
                async with self._db.tenant(tenant) as tx:
                    channel.position = await tx.feed.head(channel.event)

    def position(self, event: EventId) -> int:
        """Return how far an event's feed was handed to its links here; 0 where none was."""
        channel = self._channels.get(event)
        return 0 if channel is None or channel.position is None else channel.position

    def check_all(self) -> None:
        """Have every link look whether its gate should have newer keys."""
        for channel in self._channels.values():
            for mailbox in channel.members.values():
                mailbox.check_due.set()

    def leave(self, gate: GateId, mailbox: Mailbox) -> None:
        """Let a link go."""
        channel = self._channels.get(mailbox.event)
        if channel is None or channel.members.get(gate) is not mailbox:
            return
        del channel.members[gate]
        if not channel.members:
            del self._channels[mailbox.event]

    def close(self) -> None:
        """End all links, now and those to come: the server is stopping."""
        self._closing = True
        for channel in self._channels.values():
            for mailbox in channel.members.values():
                mailbox.end(_CLOSING)

    async def _listen(self, listen: Listen) -> None:
        await listen([CHANNEL, LINKS, COMMANDS], self._notice)

    def _notice(self, channel: str, payload: str) -> None:
        if channel == LINKS:
            self._note_link(payload)
            return
        if channel == COMMANDS:
            self._note_command(payload)
            return
        if payload:
            self._dirty |= {_read_event(payload)} & self._channels.keys()
        else:
            self._dirty |= self._channels.keys()
        if self._dirty:
            self._woken.set()

    def _note_link(self, payload: str) -> None:
        """Have an older link of a gate looked after, which finds that it is over; all links when notices were lost."""
        if not payload:
            self.check_all()
            return
        gate, _, number = payload.partition(":")
        for channel in self._channels.values():
            mailbox = channel.members.get(GateId(UUID(gate)))
            if mailbox is not None and mailbox.number < int(number):
                mailbox.check_due.set()

    def _note_command(self, payload: str) -> None:
        """Have a gate's link look whether there is something to obey; all links when notices were lost."""
        if not payload:
            self.check_all()
            return
        for channel in self._channels.values():
            mailbox = channel.members.get(GateId(UUID(payload)))
            if mailbox is not None:
                mailbox.check_due.set()

    async def _hand_out_for_ever(self, beat: Beat) -> None:
        while True:
            beat()
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await self._woken.wait()
            self._woken.clear()
            while self._dirty:
                await self._hand_out(self._dirty.pop())

    async def _hand_out(self, event: EventId) -> None:
        channel = self._channels.get(event)
        try:
            while channel is not None and channel.position is not None:
                async with self._db.tenant(channel.tenant) as tx:
                    entries = await tx.feed.after(event, channel.position, FRAME_ENTRIES)
                if not entries:
                    return
                channel.position = _offer(channel, entries, channel.position)
        except TicketTokenError as problem:
            log.warning("hub.feed_unread", event_id=str(event), code=problem.code)
            self._dirty.add(event)
            await asyncio.sleep(RETRY_S)


def _offer(channel: _Channel, entries: list[FeedEntry], after: int) -> int:
    """Hand entries to all links of an event and return up to where."""
    frame = pack_frame(channel.event, after, entries)
    keys_changed = any(_changes_keys(entry) for entry in entries)
    for mailbox in channel.members.values():
        mailbox.offer_feed(frame.data, frame.to_seq)
        if keys_changed:
            # the keeper of each link looks into the database: whether its gate may go on, and which keys it should have
            mailbox.check_due.set()
    return frame.to_seq


def _changes_keys(entry: FeedEntry) -> bool:
    return isinstance(entry, PolicyEntry) or (isinstance(entry, GateEntry) and entry.revoked)


def _read_event(payload: str) -> EventId:
    return EventId(UUID(payload.partition(":")[2]))


_CLOSING = Bye(code="unavailable", message="The server is stopping: connect again.")
