"""How often somebody may call: classes of routes, and the table that says what each class allows, as data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct

from shared.problems import SettingsInvalid

_MINUTE_S = 60
_MOST_CALLS = 10_000_000
_LONGEST_S = 24 * 3600


class LimitClass(StrEnum):
    """A kind of call that is counted on its own."""

    FREE = "free"
    """Not counted: health, and files that never change."""
    READ = "read"
    WRITE = "write"
    CODES = "codes"
    """A ticket's code or wallet: phones ask every slot, four times a minute and ticket."""
    SCAN = "scan"
    """Validating and checking in: a lane at its busiest manages one person a second."""
    GATE = "gate"
    """What gates call, besides handing scans over."""
    UPLOAD = "upload"
    """Scans handed over by gates: after a night without network there may be many batches at once."""
    SERVICE = "service"
    ENROL = "enrol"
    """Before anybody is known, by address: guessing enrolment codes."""
    LINK = "link"
    """Before anybody is known, by address: ticket pages, each of which asks every slot; a crowd may share one address."""
    BAD_PROOF = "bad_proof"
    """By address: tokens, keys and signatures that do not count. Only these are refused then: good ones go on."""
    TENANT = "tenant"
    """All that an organiser's customers call, codes excepted."""
    STAFF = "staff"
    """All that an organiser's staff and systems call: a share of their own, which no crowd of customers can use up."""


NOT_OF_TENANT = frozenset({LimitClass.FREE, LimitClass.CODES})
"""Classes that do not use up the tenant's share: ten thousand phones showing their codes are no reason to stop a box office."""

BY_ADDRESS = frozenset({LimitClass.ENROL, LimitClass.LINK})
"""Classes counted by the caller's address, because nothing else is known of them."""


class Quota(Struct, frozen=True, kw_only=True):
    """How many calls in any stretch of time of this length; all of them may come at once."""

    calls: int
    seconds: int = _MINUTE_S

    @property
    def window(self) -> timedelta:
        """Return the stretch of time."""
        return timedelta(seconds=self.seconds)


QuotaTable = Mapping[LimitClass, Quota | None]
"""What each class allows each caller; None does not limit."""

DEFAULT_QUOTAS: QuotaTable = MappingProxyType(
    {
        LimitClass.FREE: None,
        LimitClass.READ: Quota(calls=300),
        LimitClass.WRITE: Quota(calls=60),
        LimitClass.CODES: Quota(calls=240),
        LimitClass.SCAN: Quota(calls=240),
        LimitClass.GATE: Quota(calls=600),
        LimitClass.UPLOAD: Quota(calls=1200),
        LimitClass.SERVICE: Quota(calls=3000),
        LimitClass.ENROL: Quota(calls=10),
        LimitClass.LINK: Quota(calls=3000),
        LimitClass.BAD_PROOF: Quota(calls=60),
        LimitClass.TENANT: Quota(calls=30_000),
        LimitClass.STAFF: Quota(calls=30_000),
    }
)

NO_QUOTAS: QuotaTable = MappingProxyType(dict.fromkeys(LimitClass))
"""A table that limits nothing: for drills, benchmarks and servers behind something that counts already."""


def parse_quotas(text: str) -> QuotaTable:
    """Return the default table with the changes a text asks for: `read=600/60,write=off`, calls per seconds.

    `off` alone limits nothing.

    Raises:
        SettingsInvalid: naming every part that has another form.
    """
    if text.strip().lower() == "off":
        return NO_QUOTAS
    table = dict(DEFAULT_QUOTAS)
    faults: list[str] = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, _, wanted = part.partition("=")
        if name not in set(LimitClass) or name == LimitClass.FREE:
            faults.append(f"there is no class of calls {name!r}")
            continue
        try:
            table[LimitClass(name)] = _parse_quota(wanted)
        except ValueError:
            faults.append(f"{part!r} is not CLASS=CALLS/SECONDS or CLASS=off")
    if faults:
        raise SettingsInvalid(f"RATE_LIMITS: {'; '.join(faults)}.")
    return MappingProxyType(table)


def _parse_quota(text: str) -> Quota | None:
    if text == "off":
        return None
    calls, _, seconds = text.partition("/")
    quota = Quota(calls=int(calls), seconds=int(seconds or _MINUTE_S))
    if not (1 <= quota.calls <= _MOST_CALLS and 1 <= quota.seconds <= _LONGEST_S):
        raise ValueError(text)
    return quota
