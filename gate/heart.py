"""Signs of life for a service manager: ready, alive, stopping, as systemd's sd_notify(3) has them."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Heart:
    """Beats twice in each interval the service manager allows; a program whose loop hangs does not, and is started anew."""

    def __init__(self, address: str, interval_s: float | None) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._interval_s = interval_s
        self._next: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Say that the program works, and go on saying so."""
        self._say("READY=1")
        self._beat()

    def stop(self) -> None:
        """Say that it ends of its own accord."""
        if self._next is not None:
            self._next.cancel()
        self._say("STOPPING=1")

    def _beat(self) -> None:
        if self._interval_s is not None:
            self._say("WATCHDOG=1")
            self._next = asyncio.get_running_loop().call_later(self._interval_s / 2, self._beat)

    def _say(self, what: str) -> None:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.setblocking(False)
                line.sendto(what.encode(), self._address)
        except OSError as exc:
            # The gate works without being watched; the watcher decides what silence means.
            _log.warning("heart.unheard", why=exc.strerror)


def find_heart(environ: Mapping[str, str], process: int) -> Heart | None:
    """Return the heart a service manager listens to, None when there is none."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return None
    microseconds, watched = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(process))
    asked = microseconds.isascii() and microseconds.isdigit() and int(microseconds) > 0 and watched == str(process)
    return Heart(address, int(microseconds) / 1_000_000 if asked else None)


@contextmanager
def beating() -> Iterator[None]:
    """Give signs of life while this is open, if anybody listens; needs a running loop."""
    heart = find_heart(os.environ, os.getpid())
    if heart is None:
        yield
        return
    heart.start()
    try:
        yield
    finally:
        heart.stop()
