"""Does what the organiser commands this gate: each command once, written down before its receipt is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import structlog
from msgspec import Struct
from msgspec.structs import replace

from gate.clockbelief import ClockBelief
from gate.deciding import Post
from gate.desk import ScanDesk
from gate.orders import Kept, StaffNotice, Wiping, load_orders, save_orders
from gate.sync.obeyed import Obeyed
from gate.trust import OrganiserTrust
from shared.clock import Clock, unix_ms
from shared.ids import CommandId
from shared.problems import CodeMalformed, Denied
from shared.sync.command import (
    Command,
    Configure,
    Hold,
    Notice,
    Outcome,
    Receipt,
    Resume,
    Resync,
    SignedCommand,
    Wipe,
)

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_MOST_NOTICES = 5


class ObedienceParts(Struct, frozen=True, kw_only=True, eq=False):
    """What commands work on; ``turn`` is held by whoever decides about a guest."""

    directory: Path
    trust: OrganiserTrust
    post: Post
    desk: ScanDesk
    turn: asyncio.Lock
    belief: ClockBelief
    clock: Clock


class Obedience:
    """The commands' effects and their memory."""

    def __init__(self, parts: ObedienceParts) -> None:
        self._parts = parts
        self._kept = Kept()
        self.wipe_told = False

    async def load(self) -> None:
        """Read what was ordered before this start, and act accordingly.

        Raises:
            DataDamaged: the file is not what was written.
        """
        self._kept = await asyncio.to_thread(load_orders, self._parts.directory)
        self._enforce()

    @property
    def last(self) -> int:
        """The number of the last command that was obeyed."""
        return self._kept.last

    @property
    def held(self) -> str | None:
        """Why no codes are looked at; None while they are."""
        return self._kept.held

    @property
    def wiping(self) -> bool:
        """Whether this gate is about to forget everything."""
        return self._kept.wiping is not None

    @property
    def wipe_due(self) -> bool:
        """Whether a wipe waits for nothing any more."""
        return self._kept.wipe_due

    @property
    def notices(self) -> tuple[StaffNotice, ...]:
        """What the staff have not read yet, the oldest first."""
        return self._kept.notices

    async def confirm(self, notice: CommandId) -> None:
        """Note that somebody read a notice.

        Raises:
            Unavailable: it cannot be written down.
        """
        await self._keep(replace(self._kept, notices=tuple(one for one in self.notices if one.command != notice)))

    async def obey(self, carried: Sequence[SignedCommand], backlog: int) -> Obeyed:
        """Do what is new, and return the receipts of all that was done, by now or before.

        Raises:
            Unavailable: it cannot be written down; what was not is done when it comes again.
        """
        receipts, resync = [], False
        for one in carried:
            try:
                command = self._parts.trust.open_command(one)
            except (Denied, CodeMalformed) as problem:
                _log.error("command.refused", code=problem.code, message=str(problem))
                continue
            known = self._kept.receipt_of(command.id)
            receipt = known or await self._obey(command, backlog)
            resync = resync or (known is None and isinstance(command.order, Resync) and _is_done(receipt))
            receipts += [receipt] if receipt is not None else []
        return Obeyed(receipts=receipts, resync=resync)

    async def on_handed_over(self, backlog: int) -> list[Receipt]:
        """The server has the log but for so many records; return the receipt of a wipe that waited for this."""
        wiping = self._kept.wiping
        if wiping is None or backlog or self._kept.receipt_of(wiping.command) is not None:
            return []
        return [await self._settle_wipe(wiping, backlog)]

    async def give_up(self) -> None:
        """Wait no longer for the log to be handed over: the next time the wipe is asked for, it is answered."""
        if self._kept.wiping is not None:
            await self._keep(replace(self._kept, wiping=replace(self._kept.wiping, patient=False)))

    def note_told(self, receipts: Sequence[Receipt]) -> None:
        """Receipts are on their way."""
        wiping = self._kept.wiping
        if wiping is not None and any(one.command == wiping.command for one in receipts):
            self.wipe_told = True

    async def _obey(self, command: Command, backlog: int) -> Receipt | None:
        if command.number <= self._kept.last:
            return self._receipt(command, Outcome.REFUSED, "another command of this number was obeyed")
        if command.expires_ms is not None and self._server_ms() > command.expires_ms:
            return await self._settle(command, self._kept, self._receipt(command, Outcome.EXPIRED))
        if isinstance(command.order, Wipe):
            return await self._begin_wipe(command, backlog)
        if isinstance(command.order, Configure):
            await self._configure(command.order)
        return await self._settle(command, self._remember(command))

    def _remember(self, command: Command) -> Kept:
        """Return what holds once a command is obeyed."""
        match command.order:
            case Hold(reason=reason):
                return replace(self._kept, held=reason)
            case Resume():
                return replace(self._kept, held=None)
            case Notice(text=text):
                notice = StaffNotice(command=command.id, text=text, at_ms=self._now_ms())
                return replace(self._kept, notices=(*self.notices, notice)[-_MOST_NOTICES:])
            case _:
                return self._kept

    async def _begin_wipe(self, command: Command, backlog: int) -> Receipt | None:
        wiping = self._kept.wiping or Wiping(command=command.id, number=command.number)
        if self._kept.wiping is None:
            _log.error("gate.wiping", backlog=backlog)
            await self._keep(replace(self._kept, wiping=wiping))
        return None if backlog and wiping.patient else await self._settle_wipe(wiping, backlog)

    async def _settle_wipe(self, wiping: Wiping, backlog: int) -> Receipt:
        told = f"{backlog} records of the log were not handed over" if backlog else "the log was handed over"
        receipt = Receipt(
            command=wiping.command, number=wiping.number, outcome=Outcome.DONE, at_ms=self._now_ms(), message=told
        )
        await self._keep(self._kept.with_receipt(receipt))
        return receipt

    async def _configure(self, order: Configure) -> None:
        await self._parts.trust.reassign(order)
        async with self._parts.turn:  # nobody is decided about half by the old and half by the new
            self._parts.post.reassign(order)

    async def _settle(self, command: Command, kept: Kept, receipt: Receipt | None = None) -> Receipt:
        receipt = receipt or self._receipt(command, Outcome.DONE)
        _log.info("command.obeyed", number=command.number, outcome=receipt.outcome.value)
        await self._keep(kept.with_receipt(receipt))
        return receipt

    async def _keep(self, kept: Kept) -> None:
        await asyncio.to_thread(save_orders, self._parts.directory, kept)
        self._kept = kept
        async with self._parts.turn:  # whoever is being decided about has an answer before the lane stops
            self._enforce()

    def _enforce(self) -> None:
        self._parts.desk.held = self._kept.held is not None or self._kept.wiping is not None

    def _receipt(self, command: Command, outcome: Outcome, message: str = "") -> Receipt:
        return Receipt(
            command=command.id, number=command.number, outcome=outcome, at_ms=self._now_ms(), message=message
        )

    def _now_ms(self) -> int:
        return unix_ms(self._parts.clock.now())

    def _server_ms(self) -> float:
        offset_s = self._parts.belief.offset_s()
        return self._now_ms() - (offset_s or 0.0) * 1000


def _is_done(receipt: Receipt | None) -> bool:
    return receipt is not None and receipt.outcome is Outcome.DONE
