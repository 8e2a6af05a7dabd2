"""What every use case is handed: the door to the database, the vault, a clock and randomness."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from server.services.keys import KeyVault
from server.services.ports import Database
from server.services.ports_ephemeral import Ephemeral
from server.services.ports_metrics import Counts, NoCounts
from shared.clock import Clock
from shared.ids import RandomBytes

HOLD = timedelta(minutes=10)
HORIZON = timedelta(hours=72)
OVERLAP = timedelta(minutes=10)


class Context(Struct, frozen=True, kw_only=True):
    """The means of the server's use cases.

    ``hold`` is how long a reservation keeps its places, ``horizon`` how far ahead gates have keys, ``overlap`` how long
    codes count after an emergency replaced their keys, which is also how often phones ask at least twice. ``counts`` is told
    what happens, to be watched from outside. ``keep_people`` is how long after an event's end its people are known, None: always.
    """

    db: Database
    vault: KeyVault
    ephemeral: Ephemeral
    clock: Clock
    random_bytes: RandomBytes
    hold: timedelta = HOLD
    horizon: timedelta = HORIZON
    overlap: timedelta = OVERLAP
    counts: Counts = NoCounts()
    keep_people: timedelta | None = None
