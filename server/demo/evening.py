"""The people of the tour's evening: who comes to which gate in which act, and what must happen to each."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from server.demo.lane import Guest
from server.demo.phones import Phone, forge, screenshot
from shared.admission.verdict import Reason

_KINDS = ("phone", "phone", "paper", "phone", "dark_mode", "phone", "glare", "phone", "dim")


class Cast(Struct, frozen=True, kw_only=True):
    """The phones that come to the doors.

    ``regulars`` hold valid tickets and are used up in order; ``sender`` gave a ticket to ``recipient``; ``stranger`` holds
    another organiser's ticket; ``divided`` goes to both gates while they are apart.
    """

    regulars: tuple[Phone, ...]
    sender: Phone
    recipient: Phone
    stranger: Phone
    divided: Phone


def regular(phone: Phone, number: int, at: datetime) -> Guest:
    """Return somebody with a valid ticket."""
    kind = _KINDS[number % len(_KINDS)]
    return Guest(
        who=f"guest {number + 1} ({kind.replace('_', ' ')})", text=phone.show(at), admitted=True, reason="ok", kind=kind
    )


def first_act_north(cast: Cast, at: datetime) -> list[Guest]:
    """Everybody at the first gate while the network is up: the honest, the cheats and one who comes back."""
    first = regular(cast.regulars[0], 0, at)
    return [
        first,
        *(regular(phone, number, at) for number, phone in enumerate(cast.regulars[1:4], start=1)),
        _refused("a screenshot of two minutes ago", screenshot(cast.regulars[4], at), Reason.CODE_STALE),
        _refused("a code made by a forger", forge(cast.regulars[4], at), Reason.CODE_FORGED),
        _refused("another organiser's ticket", cast.stranger.show(at), _foreign_reason(cast)),
        _refused("old code of a ticket passed on", cast.sender.show(at), Reason.TRANSFERRED_OR_REISSUED),
        Guest(who="the friend it was passed on to", text=cast.recipient.show(at), admitted=True, reason="ok"),
        *(regular(phone, number, at) for number, phone in enumerate(cast.regulars[5:8], start=5)),
        Guest(who="guest 1 once more, same gate", text=first.text, admitted=False, reason="already_used"),
    ]


def first_act_south(cast: Cast, at: datetime) -> list[Guest]:
    """The second gate meanwhile; the last one was let in at the first gate a moment ago."""
    return [
        *(regular(phone, number, at) for number, phone in enumerate(cast.regulars[8:14], start=8)),
        Guest(
            who="guest 2, already in at North",
            text=cast.regulars[1].show(at),
            admitted=False,
            reason="already_used_elsewhere",
        ),
    ]


def cut_off_north(cast: Cast, at: datetime) -> list[Guest]:
    """The first gate with the cable cut."""
    return [
        Guest(who="one ticket on two phones: first", text=cast.divided.show(at), admitted=True, reason="ok"),
        *(regular(phone, number, at) for number, phone in enumerate(cast.regulars[14:18], start=14)),
        _refused("a screenshot, nobody to ask", screenshot(cast.regulars[18], at), Reason.CODE_STALE),
        _refused("guest 3 once more", cast.regulars[2].show(at), Reason.ALREADY_USED),
    ]


def cut_off_south(cast: Cast, late: Phone, at: datetime) -> list[Guest]:
    """The second gate with the cable cut: it cannot know of the first one's admission, nor of a ticket just sold."""
    return [
        *(regular(phone, number, at) for number, phone in enumerate(cast.regulars[19:23], start=19)),
        Guest(who="a ticket sold after the cut", text=late.show(at), admitted=True, reason="ok"),
        Guest(who="the same ticket's second phone", text=cast.divided.show(at), admitted=True, reason="ok"),
    ]


REGULARS = 23
"""How many valid tickets the acts use up."""


def _refused(who: str, text: str, reason: Reason) -> Guest:
    return Guest(who=who, text=text, admitted=False, reason=reason.value)


def _foreign_reason(cast: Cast) -> Reason:
    """Another event's code is told by its hint; one in 256 events shares ours, and then fails to open."""
    ours = cast.regulars[0].hint
    return Reason.WRONG_EVENT if cast.stranger.hint != ours else Reason.CODE_FORGED
