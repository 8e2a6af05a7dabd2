"""Making codes: a ticket's capsules, minted when somebody first asks, and the live token of a moment."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import datetime, timedelta

from server.services.keys import EpochSecrets
from server.services.rows import EventRow, TicketRow, TicketTypeRow
from shared.codes import chain
from shared.codes.capsule import (
    VERSION,
    WINDOW_STEP_S,
    Capsule,
    Claims,
    Header,
    Profile,
    event_hint,
    pack_header,
    seal,
)
from shared.codes.keys import derive_handle, derive_seed, hash_handle
from shared.codes.number import write_number
from shared.codes.token import Token, write_token
from shared.ids import EventId, TicketId
from shared.secrecy import Reticent

_CACHED_CAPSULES = 8192
_LAST_STEP = 0xFFFF


class CodeSubject(Reticent, frozen=True, kw_only=True):
    """Whose codes are made: a ticket of an event, and the tenant's master secret."""

    master: bytes
    event: EventRow
    ticket: TicketRow
    ticket_type: TicketTypeRow

    @property
    def seed(self) -> bytes:
        """Return the secret from which a phone makes this ticket's live codes."""
        return derive_seed(self.master, self.ticket.id, self.ticket.generation)

    @property
    def number(self) -> str:
        """Return what people at a gate call this ticket when its code cannot be read."""
        return number_ticket(self.master, self.ticket.id, self.ticket.generation)


def number_ticket(master: bytes, ticket: TicketId, generation: int) -> str:
    """Return the number of a ticket's generation; another one has another number."""
    return write_number(hash_handle(derive_handle(master, ticket, generation)))


class IssuedCapsule(Reticent, frozen=True, kw_only=True):
    """A capsule for one epoch with what a phone needs to use it: the chain's context and the epoch's times."""

    epoch: int
    starts: datetime
    ends: datetime
    slot_s: int
    header: bytes
    context: bytes
    data: bytes


class LiveToken(Reticent, frozen=True, kw_only=True):
    """The text a QR code shows during one slot, and when that slot begins and ends."""

    text: str
    slot: int
    begins: datetime
    ends: datetime


def event_over(event: EventRow) -> datetime:
    """Return when the doors close for good."""
    window = event.policy.window
    return window.ends + timedelta(seconds=window.grace_s)


def state_claims(subject: CodeSubject, epoch_starts: datetime) -> Claims:
    """Return what a capsule of an epoch says of a ticket."""
    event, ticket, ticket_type = subject.event, subject.ticket, subject.ticket_type
    opens = max(event.policy.window.doors, ticket.valid_from or event.policy.window.doors)
    closes = min(event_over(event), ticket.valid_until or event_over(event))
    step = timedelta(seconds=WINDOW_STEP_S)
    return Claims(
        handle=derive_handle(subject.master, ticket.id, ticket.generation),
        product=ticket_type.product,
        not_before=_clamp((opens - epoch_starts) // step),
        not_after=_clamp(-((epoch_starts - closes) // step)),
        zones=ticket_type.zones,
        generation=ticket.generation & 0xFF,
        entries=ticket_type.entries,
        policy=ticket_type.code_policy,
    )


class CodeMint:
    """Makes capsules and remembers the ``most`` asked for last: a day's chain is thousands of hashes long."""

    def __init__(self, most: int = _CACHED_CAPSULES) -> None:
        self._made: OrderedDict[tuple[EventId, bytes, Claims], IssuedCapsule] = OrderedDict()
        self._most = most

    async def capsules(self, subject: CodeSubject, epochs: list[EpochSecrets]) -> list[IssuedCapsule]:
        """Return a ticket's capsule for each of these epochs; what must be made is made in a thread."""
        wanted = [((one.event, one.issuer_public, state_claims(subject, one.starts)), one) for one in epochs]
        # Held here from now on: while the rest is made, others may push these out of what is remembered.
        known = {key: self._made[key] for key, _ in wanted if key in self._made}
        missing = [(key, one) for key, one in wanted if key not in known]
        if missing:
            seed = subject.seed
            fresh = await asyncio.to_thread(lambda: [_mint(seed, claims, one) for (_, _, claims), one in missing])
            known.update(zip((key for key, _ in missing), fresh, strict=True))
        for key, capsule in known.items():
            self._made[key] = capsule
            self._made.move_to_end(key)
        while len(self._made) > self._most:
            self._made.popitem(last=False)
        return [known[key] for key, _ in wanted]

    async def live_token(self, subject: CodeSubject, epoch: EpochSecrets, now: datetime) -> LiveToken:
        """Return what the ticket's code shows at a moment inside the epoch."""
        (capsule,) = await self.capsules(subject, [epoch])
        seed = subject.seed
        return await asyncio.to_thread(lambda: show(capsule, seed, now))


def write_static(subject: CodeSubject, epoch: EpochSecrets) -> str:
    """Return the text of a code on paper: good for as long as the claims inside say, proving nothing about time."""
    header = Header(version=VERSION, profile=Profile.STATIC, hint=event_hint(epoch.event), epoch=epoch.epoch)
    capsule = Capsule(header=header, claims=state_claims(subject, epoch.starts), anchor=bytes(chain.VALUE_SIZE))
    return write_token(Token(capsule=seal(capsule, epoch.event, epoch.envelope_key, epoch.issuer)))


def show(capsule: IssuedCapsule, seed: bytes, now: datetime) -> LiveToken:
    """Return the token of the slot a moment lies in: what a phone does by itself."""
    count = chain.slot_count(capsule.starts, capsule.ends, capsule.slot_s)
    slot = chain.slot_at(capsule.starts, capsule.slot_s, now)
    value = chain.walk_down(capsule.context, chain.derive_top(seed, capsule.header), count, slot)
    begins = capsule.starts + timedelta(seconds=capsule.slot_s * (slot - 1))
    return LiveToken(
        text=write_token(Token(capsule=capsule.data, slot=slot, value=value)),
        slot=slot,
        begins=begins,
        ends=begins + timedelta(seconds=capsule.slot_s),
    )


def _mint(seed: bytes, claims: Claims, epoch: EpochSecrets) -> IssuedCapsule:
    header = Header(version=VERSION, profile=Profile.LIVE, hint=event_hint(epoch.event), epoch=epoch.epoch)
    packed = pack_header(header)
    context = chain.derive_context(epoch.event, packed, claims.handle)
    count = chain.slot_count(epoch.starts, epoch.ends, epoch.slot_s)
    anchor = chain.walk_down(context, chain.derive_top(seed, packed), count, 0)
    sealed = seal(Capsule(header=header, claims=claims, anchor=anchor), epoch.event, epoch.envelope_key, epoch.issuer)
    return IssuedCapsule(
        epoch=epoch.epoch,
        starts=epoch.starts,
        ends=epoch.ends,
        slot_s=epoch.slot_s,
        header=packed,
        context=context,
        data=sealed,
    )


def _clamp(step: int) -> int:
    return max(0, min(step, _LAST_STEP))
