"""A drill: a made-up evening in a directory that is thrown away, on which a real gate practises; nothing of it leaves."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct
from numpy.typing import NDArray

from gate.admit import Shown
from gate.drill_tickets import DrillTicket, Mint
from gate.files import make_directory
from gate.identity import Identity, save_identity
from gate.keystore import GateKeys, make_keys, save_keys, write_b64url
from gate.sources import OpenedSource, SourceChoice, SourceEvents
from gate.store.world import open_world
from shared.admission.policy import Policy, Window
from shared.admission.presence import Admission
from shared.admission.verdict import Direction
from shared.clock import Clock, unix_ms
from shared.codes.bundle import KeyBundle, SupervisorEntry, seal_bundle
from shared.codes.capsule import CodePolicy
from shared.codes.keys import Holder
from shared.ids import EventId, GateId, ScanId, SupervisorId, TenantId, uuid7
from shared.sync.feed import AdmissionEntry, FeedEntry, GateEntry, PolicyEntry, TombstoneEntry
from shared.tickets.lifecycle import State

DRILL_PIN = "123456"
_EVERY_S = 8.0
_OLD = timedelta(minutes=5)
# A gate alone with made-up people: nobody waits for the PIN to be slow.
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Guest(Struct, frozen=True, kw_only=True):
    """Somebody who comes to the drill: with which ticket, and how old the picture of its code is."""

    ticket: DrillTicket | None
    age: timedelta = timedelta(0)
    text: str = ""


class Drill(Struct, frozen=True, kw_only=True, eq=False):
    """A gate made up for practice, and the guests who will come."""

    identity: Identity
    keys: GateKeys
    mint: Mint
    guests: tuple[Guest, ...]

    def open_source(self, choice: SourceChoice, events: SourceEvents, clock: Clock) -> OpenedSource:  # noqa: ARG002 - in place of ``gate.sources.open_source``
        """Return a source that sends one guest after the other."""
        return OpenedSource(source=DrillSource(self, events.on_shown, clock), live=False)


class DrillSource:
    """Shows the guests' codes in turn, round and round."""

    def __init__(self, drill: Drill, show: Callable[[Shown], None], clock: Clock) -> None:
        self._drill = drill
        self._show = show
        self._clock = clock
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="drill", daemon=True)

    def start(self) -> None:
        """Let the first guest come."""
        self._thread.start()

    def stop(self) -> bool:
        """Let nobody else come."""
        self._over.set()
        self._thread.join(2.0)
        return not self._thread.is_alive()

    def status(self) -> DrillStatus:
        """Return that all is well."""
        return DrillStatus(fps=0.0, camera_alive=not self._over.is_set())

    def thumbnail(self, width: int, height: int) -> NDArray[np.uint8] | None:  # noqa: ARG002 - a screen asks every source
        """Return None: there is no camera."""
        return None

    def _run(self) -> None:
        at = 0
        while not self._over.wait(_EVERY_S):
            guest = self._drill.guests[at % len(self._drill.guests)]
            self._show(Shown(text=show_code(self._drill, guest, self._clock.now()), taken_s=self._clock.monotonic()))
            at += 1


class DrillStatus(Struct, frozen=True, kw_only=True):
    """How the drill's source is doing, in a camera's terms."""

    fps: float
    camera_alive: bool


def show_code(drill: Drill, guest: Guest, now: datetime) -> str:
    """Return what a guest shows at a moment."""
    return guest.text if guest.ticket is None else drill.mint.code(guest.ticket, now - guest.age)


async def prepare_drill(directory: Path, now: datetime) -> Drill:
    """Make the gate of a drill in an empty directory: its keys, its event and its tickets.

    Raises:
        TicketTokenError: the directory cannot be written.
    """
    organiser, keys = Ed25519PrivateKey.generate(), make_keys()
    mint = Mint(event=EventId(uuid7(now, os.urandom)), starts=now - timedelta(hours=1), secret=os.urandom(32))
    identity = Identity(
        gate=GateId(uuid7(now, os.urandom)),
        tenant=TenantId(uuid7(now, os.urandom)),
        event=mint.event,
        event_name="Drill",
        name="Practice lane",
        direction=Direction.ENTRY,
        zones=0b1,
        products=(),
        server="http://127.0.0.1:9",
        config_key=write_b64url(organiser.public_key().public_bytes_raw()),
    )
    await asyncio.to_thread(_write_gate, directory, identity, keys)
    window = Window(doors=now - timedelta(hours=1), starts=now, ends=now + timedelta(hours=8))
    policy = Policy(version=1, window=window)
    guests, entries = invite(mint, policy, now)
    bundle = KeyBundle(
        event=mint.event,
        event_name="Drill",
        version=1,
        made=now,
        epochs=[mint.key()],
        policy=policy,
        supervisors=(
            SupervisorEntry(id=SupervisorId(UUID(int=1)), label=f"PIN {DRILL_PIN}", verifier=_QUICK.hash(DRILL_PIN)),
        ),
    )
    world = await open_world(directory)
    try:
        await world.apply(entries, entries[-1].seq)
        await world.keep_bundle(1, seal_bundle(bundle, identity.gate, keys.seal.public_key(), organiser))
        await world.confirm(unix_ms(now))
    finally:
        await world.close()
    return Drill(identity=identity, keys=keys, mint=mint, guests=guests)


def _write_gate(directory: Path, identity: Identity, keys: GateKeys) -> None:
    make_directory(directory)
    save_keys(directory, keys)
    save_identity(directory, identity)


def invite(mint: Mint, policy: Policy, now: datetime) -> tuple[tuple[Guest, ...], list[FeedEntry]]:
    """Return the guests of a drill, each a case a steward must know, and what the gate has been told of their tickets."""
    south = GateId(UUID(int=2))
    ada = mint.ticket(1, Holder(name="Ada Example", seat="Row 1, seat 1", product="Day ticket"))
    used = mint.ticket(2, Holder(name="Bela Example", seat="Row 1, seat 2", product="Day ticket"))
    cancelled = mint.ticket(3, Holder(name="Cleo Example", seat="", product="Day ticket"), state=State.CANCELLED)
    passed_on = mint.ticket(4, Holder(name="Dana Example", seat="", product="Day ticket"))
    elsewhere = mint.ticket(5, Holder(name="Emil Example", seat="", product="Backstage"), zones=0b10)
    checked = mint.ticket(
        6, Holder(name="Fay Example", seat="", product="Reduced"), code_policy=int(CodePolicy.ID_CHECK)
    )
    late = mint.ticket(7, Holder(name="Gil Example", seat="Row 2, seat 1", product="Day ticket"))
    rows = [one.entry for one in (ada, used, cancelled, passed_on, elsewhere, checked, late)]
    entries: list[FeedEntry] = [
        *rows,
        PolicyEntry(seq=8, policy=policy),
        GateEntry(seq=9, gate=south, name="Practice lane 2"),
        AdmissionEntry(seq=10, handle_hash=used.entry.handle_hash, admission=_enter(south, now - _OLD)),
        TombstoneEntry(seq=11, handle_hash=passed_on.entry.handle_hash, version=2),
    ]
    guests = (
        Guest(ticket=ada),
        Guest(ticket=used),
        Guest(ticket=late, age=_OLD),
        Guest(ticket=elsewhere),
        Guest(ticket=checked),
        Guest(ticket=ada),
        Guest(ticket=cancelled),
        Guest(ticket=passed_on),
        Guest(ticket=None, text="HTTPS://EXAMPLE.ORG/MENU"),
        Guest(ticket=late),
    )
    return guests, entries


def _enter(gate: GateId, at: datetime) -> Admission:
    at_ms = unix_ms(at)
    return Admission(
        scan=ScanId(uuid7(at, os.urandom)),
        gate=gate,
        gate_seq=1,
        hlc=at_ms << 16,
        at_ms=at_ms,
        unsure_ms=50,
        direction=Direction.ENTRY,
        proven=True,
    )
