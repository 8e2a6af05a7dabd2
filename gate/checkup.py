"""The doctor's questions: each is one check, answered in plain words with what to do about it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Literal

from msgspec import Struct

from gate.broker import CERTIFICATE_NAME, load_access
from gate.identity import Identity, load_identity
from gate.inspection import Inventory, open_data, take_inventory, verify_log
from gate.keystore import load_keys
from gate.settings import GateSettings
from gate.source_trial import await_code
from gate.sources import SourceChoice, try_source
from gate.sync.credential import Credential
from gate.sync.http import GateHttp, open_session
from shared.clock import Clock
from shared.problems import TicketTokenError, Unavailable

_LEAST_FREE_BYTES = 200 * 1024 * 1024
_LEAST_KEYS = timedelta(hours=72)
_FRESH = timedelta(hours=12)
_SLOW_DISK_MS = 50.0
_DISK_TRIES = 5
_CLOCK_LIMIT_S = 10.0
_SOURCE_WITHIN_S = 10.0
_CODE_WITHIN_S = 20.0

Grade = Literal["ok", "warning", "failed"]


class Finding(Struct, frozen=True, kw_only=True):
    """One check's answer; ``warning`` is something to look at that stops nobody."""

    check: str
    grade: Grade
    message: str


class Questions(Struct, frozen=True, kw_only=True):
    """What is asked besides the usual: whether a source works, and whether it reads a code that is held up to it."""

    source: str | None = None
    test_code: bool = False


class Checkup:
    """Examines the gate of one data directory; each check stands alone, so that one failure hides no other."""

    def __init__(self, directory: Path, clock: Clock, asked: Questions, settings: GateSettings) -> None:
        self._passphrase = settings.passphrase
        self._allow_plain = settings.allow_http
        self._directory = directory
        self._clock = clock
        self._asked = asked

    async def run(self) -> list[Finding]:
        """Make every check and return the answers in order."""
        checks: list[tuple[str, Callable[[], Awaitable[Finding]]]] = [
            ("data directory", self._check_directory),
            ("disk", self._check_disk),
            ("enrolment", self._check_identity),
            ("keys", self._check_keys),
            ("log", self._check_log),
            ("tickets", self._check_tickets),
            ("key horizon", self._check_horizon),
            ("server", self._check_server),
            ("broker", self._check_broker),
            ("decoders", self._check_decoders),
        ]
        if self._asked.source is not None:
            checks.append(("source", self._check_source))
        return [await _answer(name, check) for name, check in checks]

    async def _check_directory(self) -> Finding:
        if not await asyncio.to_thread(os.access, self._directory, os.W_OK | os.X_OK):
            raise Unavailable(f"{self._directory} is missing or cannot be written: enrol first, or check who owns it.")
        free = (await asyncio.to_thread(shutil.disk_usage, self._directory)).free
        grade: Grade = "ok" if free >= _LEAST_FREE_BYTES else "warning"
        return Finding(check="data directory", grade=grade, message=f"{self._directory}, {free // 1024**2} MB free")

    async def _check_disk(self) -> Finding:
        """Nobody sees green before a record is on the disk: a slow one holds up every guest."""
        took_ms = await asyncio.to_thread(_time_writes, self._directory, self._clock)
        grade: Grade = "ok" if took_ms <= _SLOW_DISK_MS else "warning"
        hint = "" if grade == "ok" else ": each guest waits that long; put --data on an SSD"
        return Finding(check="disk", grade=grade, message=f"a record is durable in {took_ms:.1f} ms{hint}")

    async def _check_identity(self) -> Finding:
        identity = await self._identify()
        return Finding(check="enrolment", grade="ok", message=f"{identity.name} of {identity.event_name}")

    async def _check_keys(self) -> Finding:
        await asyncio.to_thread(load_keys, self._directory, self._passphrase)
        return Finding(check="keys", grade="ok", message="readable by their owner only")

    async def _check_log(self) -> Finding:
        await self._identify()
        async with open_data(self._directory, self._clock) as data:
            records = await verify_log(data.log)
            waiting = records - data.log.acked
        return Finding(check="log", grade="ok", message=f"{records} scans, chain unbroken, {waiting} to hand over")

    async def _check_tickets(self) -> Finding:
        found = await self._inventory()
        if found.revoked:
            raise Unavailable("The organiser has revoked this gate: enrol it anew in another --data.")
        if not found.complete:
            raise Unavailable("This gate has no complete set of tickets yet: run it with the server in reach.")
        fresh = found.confirmed is not None and self._clock.now() - found.confirmed <= _FRESH
        age = f", confirmed {found.confirmed:%Y-%m-%d %H:%M:%S} UTC" if found.confirmed else ""
        hint = "" if fresh else ": run the gate with the server in reach before the doors open"
        message = f"{found.tickets} at feed position {found.feed_seq}{age}{hint}"
        return Finding(check="tickets", grade="ok" if fresh else "warning", message=message)

    async def _check_horizon(self) -> Finding:
        until = (await self._inventory()).keys_until
        if until is None or until <= self._clock.now():
            raise Unavailable("This gate has no keys for now: run it with the server in reach.")
        left = until - self._clock.now()
        grade: Grade = "ok" if left >= _LEAST_KEYS else "warning"
        hours = left // timedelta(hours=1)
        return Finding(check="key horizon", grade=grade, message=f"until {until:%Y-%m-%d %H:%M} UTC, {hours} hours")

    async def _check_server(self) -> Finding:
        """Ask for the feed's next piece: network, TLS, the server and this gate's signature must all be right."""
        identity, found = await self._identify(), await self._inventory()
        keys = await asyncio.to_thread(load_keys, self._directory, self._passphrase)
        credential = Credential(identity.gate, identity.tenant, keys.sign, self._clock)
        began_s = self._clock.monotonic()
        async with open_session() as session:
            http = GateHttp(session, identity.server, credential)
            await http.fetch_feed(identity.event, found.feed_seq)
        took_ms = (self._clock.monotonic() - began_s) * 1000
        off_s = credential.clock_offset_s or 0.0
        if abs(off_s) > _CLOCK_LIMIT_S:
            raise Unavailable(
                f"This machine's clock is {off_s:+.0f} s off the server's: set it, or codes are refused as old."
            )
        return Finding(
            check="server", grade="ok", message=f"{identity.server} answers in {took_ms:.0f} ms, clock {off_s:+.0f} s"
        )

    async def _check_broker(self) -> Finding:
        access = await asyncio.to_thread(load_access, self._directory)
        if access is None:
            return Finding(check="broker", grade="ok", message="none: this gate keeps to the WebSocket")
        probe = await asyncio.to_thread(_load_probe)
        try:
            host = await probe(access, self._directory / CERTIFICATE_NAME, allow_plain=self._allow_plain)
        except TicketTokenError as problem:
            # Without it the gate has another way to its server.
            return Finding(check="broker", grade="warning", message=f"{problem} The gate uses the WebSocket meanwhile.")
        return Finding(check="broker", grade="ok", message=f"{host} knows this gate's account")

    async def _check_decoders(self) -> Finding:
        return await asyncio.to_thread(_try_decoders, self._clock)

    async def _check_source(self) -> Finding:
        choice = SourceChoice(text=self._asked.source or "")
        if self._asked.test_code:
            shown = await await_code(choice, self._clock, _CODE_WITHIN_S)
            message = f"{choice.text} reads a code in {shown.decode_ms:.1f} ms"
            return Finding(check="source", grade="ok", message=message)
        await try_source(choice, self._clock, _SOURCE_WITHIN_S)
        return Finding(check="source", grade="ok", message=f"{choice.text} gives pictures")

    async def _identify(self) -> Identity:
        return await asyncio.to_thread(load_identity, self._directory)

    async def _inventory(self) -> Inventory:
        return await take_inventory(self._directory, self._clock, self._passphrase)


def _load_probe() -> Callable[..., Awaitable[str]]:
    # Loaded here: a gate whose server uses no broker needs no library for it.
    from gate.sync.broker_probe import probe_broker  # noqa: PLC0415

    return probe_broker


def _try_decoders(clock: Clock) -> Finding:
    # Loaded here: a doctor's other questions need no picture library.
    from gate.scanner.second import ZbarAway, load_zbar  # noqa: PLC0415
    from gate.scanner.trial import try_decoder  # noqa: PLC0415

    read = f"a test code is read in {try_decoder(clock):.1f} ms"
    try:
        load_zbar()
    except ZbarAway as problem:
        return Finding(check="decoders", grade="warning", message=f"{read}. {problem}")
    return Finding(check="decoders", grade="ok", message=f"{read}; zxing-cpp, and zbar where it finds nothing")


def _time_writes(directory: Path, clock: Clock) -> float:
    """Return the milliseconds a small durable write takes, the median of some; raises Unavailable."""
    path, took_ms = directory / ".doctor", []
    try:
        for _ in range(_DISK_TRIES):
            began_s = clock.monotonic()
            with path.open("wb") as file:
                file.write(bytes(4096))
                file.flush()
                os.fsync(file.fileno())
            took_ms.append((clock.monotonic() - began_s) * 1000)
        path.unlink()
    except OSError as exc:
        raise Unavailable(
            f"{directory} takes no files ({exc.strerror}): free some space, or check whether the disk is read-only."
        ) from exc
    return median(took_ms)


async def _answer(name: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await check()
    except TicketTokenError as problem:
        return Finding(check=name, grade="failed", message=str(problem))
