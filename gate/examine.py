"""From a scanned text to what is known of it: the code's proof, the ticket's facts, the holder's data."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from msgspec import DecodeError, Struct
from msgspec.structs import replace

from gate.briefing import Briefing
from gate.ports import Sighting
from shared.admission.rule import Facts
from shared.admission.verdict import Reason
from shared.clock import from_unix_ms
from shared.codes.capsule import WINDOW_STEP_S, Claims, CodePolicy
from shared.codes.keys import Holder, hash_handle, open_holder
from shared.codes.reader import CodeRead, CodeRefused, Proof
from shared.ids import EventId
from shared.problems import CodeMalformed
from shared.sync.feed import TicketEntry

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_NO_LIMIT = 0xFFFF


class Examined(Struct, frozen=True, kw_only=True):
    """A scanned text after the code's own checks.

    ``refusal`` says why the code does not count; ``read`` is there when it does. ``handle_hash`` is known whenever the
    code is genuine, fresh or not, and so are its ``claims``; ``skew_s`` is the time it showed minus this gate's, in slots of
    ``slot_s``.
    """

    refusal: Reason | None
    read: CodeRead | None
    event: EventId | None
    handle_hash: bytes | None
    skew_s: int | None
    slot_s: int | None = None
    claims: Claims | None = None

    @property
    def proof(self) -> Proof | None:
        """What only somebody who saw the live code can know."""
        return self.read.proof if self.read is not None else None

    @property
    def printed_handle(self) -> bytes | None:
        """What only somebody who saw the printed code can know; None for every other code."""
        printed = self.read is not None and self.read.proof is None
        return self.read.capsule.claims.handle if self.read is not None and printed else None


def examine(text: str, briefing: Briefing, now: datetime) -> Examined:
    """Return what the code itself says."""
    result = briefing.reader.read(text, now)
    if isinstance(result, CodeRead):
        skew_s = None if result.skew_slots is None else result.skew_slots * result.key.slot_s
        return Examined(
            refusal=None,
            read=result,
            event=result.key.event,
            handle_hash=hash_handle(result.capsule.claims.handle),
            skew_s=skew_s,
            claims=result.capsule.claims,
        )
    capsule = result.capsule
    return Examined(
        refusal=_name_refusal(result, briefing, now),
        read=None,
        event=result.event,
        handle_hash=hash_handle(capsule.claims.handle) if capsule is not None else None,
        skew_s=result.skew_s,
        slot_s=result.slot_s,
        claims=capsule.claims if capsule is not None else None,
    )


def _name_refusal(refused: CodeRefused, briefing: Briefing, now: datetime) -> Reason:
    """Tell a code of an unknown day from a gate whose own keys have run out."""
    if briefing.keys_until is None and refused.reason in {Reason.WRONG_EVENT, Reason.EPOCH_UNKNOWN}:
        return Reason.KEYS_EXPIRED
    if refused.reason is Reason.EPOCH_UNKNOWN and briefing.keys_until is not None and briefing.keys_until <= now:
        return Reason.KEYS_EXPIRED
    return refused.reason


def state_facts(read: CodeRead, sighting: Sighting) -> Facts:
    """Return the facts the rule decides on: the server's row where there is one, else what the code claims."""
    if sighting.ticket is not None:
        facts = _facts_of_row(sighting.ticket, read.capsule.claims, superseded=sighting.superseded)
        return replace(facts, static_code=read.proof is None, suspect=sighting.hot)
    claims, starts = read.capsule.claims, read.key.starts
    opens = starts + timedelta(seconds=claims.not_before * WINDOW_STEP_S)
    closes = starts + timedelta(seconds=claims.not_after * WINDOW_STEP_S)
    return Facts(
        known=False,
        superseded=sighting.superseded,
        product=claims.product,
        zones=claims.zones,
        valid_from=opens if claims.not_before else None,
        valid_until=closes if claims.not_after < _NO_LIMIT else None,
        entries=claims.entries,
        code_policy=CodePolicy(claims.policy),
        static_code=read.proof is None,
        suspect=sighting.hot,
    )


def vouched_facts(claims: Claims | None, sighting: Sighting) -> Facts | None:
    """Return the facts for somebody who answers for the code: whether it was fresh or on paper does not matter then.

    None where neither the server nor a code says anything of the ticket.
    """
    if sighting.ticket is not None:
        return replace(_facts_of_row(sighting.ticket, claims, superseded=sighting.superseded), suspect=sighting.hot)
    if claims is None:
        return None
    return Facts(
        known=False,
        superseded=sighting.superseded,
        product=claims.product,
        zones=claims.zones,
        entries=claims.entries,
        code_policy=CodePolicy(claims.policy),
        suspect=sighting.hot,
    )


def _facts_of_row(row: TicketEntry, claims: Claims | None, *, superseded: bool) -> Facts:
    return Facts(
        known=True,
        superseded=superseded,
        state=row.state,
        locked=row.locked,
        product=row.product,
        zones=row.zones,
        valid_from=None if row.valid_from_ms is None else from_unix_ms(row.valid_from_ms),
        valid_until=None if row.valid_until_ms is None else from_unix_ms(row.valid_until_ms),
        entries=row.entries,
        # The server may have added a demand since the code was signed; what was signed cannot be taken away.
        code_policy=CodePolicy(row.code_policy | (claims.policy if claims is not None else 0)),
    )


def open_holder_of(read: CodeRead, row: TicketEntry | None) -> Holder | None:
    """Return the holder's data, which only this code opens; None where there is none or it does not open."""
    if row is None or not row.sealed:
        return None
    try:
        return open_holder(read.capsule.claims.handle, row.sealed)
    except (CodeMalformed, DecodeError):
        # A name that cannot be shown is no reason to stop somebody with a valid ticket.
        _log.warning("holder.unreadable", ticket=row.handle_hash.hex(), feed_seq=row.seq)
        return None
