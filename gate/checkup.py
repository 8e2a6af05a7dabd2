"""The doctor's questions: each is one check, answered in plain words with what to do about it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Literal

from msgspec import Struct

from gate.identity import Identity, load_identity
from gate.inspection import Inventory, open_data, take_inventory, verify_log
from gate.keystore import load_keys
from gate.sources import SourceChoice, try_source
from gate.sync.credential import Credential
from gate.sync.http import GateHttp, open_session
from shared.clock import Clock
from shared.problems import TicketTokenError, Unavailable
from shared.settings import Secret

_LEAST_FREE_BYTES = 200 * 1024 * 1024
_LEAST_KEYS = timedelta(hours=24)
_CLOCK_LIMIT_S = 10.0
_SOURCE_WITHIN_S = 10.0

Grade = Literal["ok", "warning", "failed"]


class Finding(Struct, frozen=True, kw_only=True):
    """One check's answer; ``warning`` is something to look at that stops nobody."""

    check: str
    grade: Grade
    message: str


class Checkup:
    """Examines the gate of one data directory; each check stands alone, so that one failure hides no other."""

    def __init__(self, directory: Path, clock: Clock, source: str | None, passphrase: Secret | None = None) -> None:
        self._passphrase = passphrase
        self._directory = directory
        self._clock = clock
        self._source = source

    async def run(self) -> list[Finding]:
        """Make every check and return the answers in order."""
        checks: list[tuple[str, Callable[[], Awaitable[Finding]]]] = [
            ("data directory", self._check_directory),
            ("enrolment", self._check_identity),
            ("keys", self._check_keys),
            ("log", self._check_log),
            ("tickets", self._check_tickets),
            ("key horizon", self._check_horizon),
            ("server", self._check_server),
            ("decoders", _check_decoders),
        ]
        if self._source is not None:
            checks.append(("source", self._check_source))
        return [await _answer(name, check) for name, check in checks]

    async def _check_directory(self) -> Finding:
        if not await asyncio.to_thread(os.access, self._directory, os.W_OK | os.X_OK):
            raise Unavailable(f"{self._directory} is missing or cannot be written: enrol first, or check who owns it.")
        free = (await asyncio.to_thread(shutil.disk_usage, self._directory)).free
        grade: Grade = "ok" if free >= _LEAST_FREE_BYTES else "warning"
        return Finding(check="data directory", grade=grade, message=f"{self._directory}, {free // 1024**2} MB free")

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
        age = f", confirmed {found.confirmed:%Y-%m-%d %H:%M:%S} UTC" if found.confirmed else ""
        return Finding(check="tickets", grade="ok", message=f"{found.tickets} at feed position {found.feed_seq}{age}")

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

    async def _check_source(self) -> Finding:
        text = self._source or ""
        await try_source(SourceChoice(text=text), self._clock, _SOURCE_WITHIN_S)
        return Finding(check="source", grade="ok", message=f"{text} gives pictures")

    async def _identify(self) -> Identity:
        return await asyncio.to_thread(load_identity, self._directory)

    async def _inventory(self) -> Inventory:
        return await take_inventory(self._directory, self._clock, self._passphrase)


async def _check_decoders() -> Finding:
    # Loaded here: a doctor's other questions need no picture library.
    from gate.scanner.second import ZbarAway, load_zbar  # noqa: PLC0415

    try:
        await asyncio.to_thread(load_zbar)
    except ZbarAway as problem:
        return Finding(check="decoders", grade="warning", message=str(problem))
    return Finding(check="decoders", grade="ok", message="zxing-cpp, and zbar where it finds nothing")


async def _answer(name: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await check()
    except TicketTokenError as problem:
        return Finding(check=name, grade="failed", message=str(problem))
