"""The process between a test run and one server: when the run ends, even by SIGKILL, the server ends too.

`python -m tests.services.supervisor REQUEST` prints one JSON line, then waits until its standard input ends; each byte that
comes there before restarts the service, if it can be, and is answered with another line: ``r`` in order, ``k`` cut off.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from tests.services.messages import Answer, Refused, Request, Running, Served
from tests.services.processes import ServiceUnavailable
from tests.services.rabbitmq import run_rabbitmq
from tests.services.valkey import run_valkey

_Launcher = Callable[[Request, Path], AbstractContextManager[Running | Served]]
_ROOM_B = 4 << 30
_LAUNCHERS: dict[str, _Launcher] = {"valkey": run_valkey, "rabbitmq": run_rabbitmq}


def main() -> int:
    """Serve one request; return the process's exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    request = msgspec.json.decode(sys.argv[1], type=Request)
    begun = time.monotonic()
    place = _quick_place()
    with tempfile.TemporaryDirectory(prefix="tickettoken-service-", dir=place, ignore_cleanup_errors=True) as directory:
        try:
            with _LAUNCHERS[request.service](request, Path(directory)) as opened:
                running = opened.running if isinstance(opened, Served) else opened
                _answer(msgspec.structs.replace(running, seconds=round(time.monotonic() - begun, 2)))
                while wish := os.read(sys.stdin.fileno(), 1):
                    number = signal.SIGKILL if wish == b"k" else signal.SIGTERM
                    _answer(opened.restart(number) if isinstance(opened, Served) else running)
        except (ServiceUnavailable, OSError) as problem:
            _answer(Refused(message=str(problem)))
            return 1
    return 0


def _quick_place() -> Path | None:
    """Return a directory in memory if there is room: a broker writes each message durably, and none is to outlive the run."""
    memory = Path("/dev/shm")  # noqa: S108
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM_B:
        return memory
    return None


def _answer(answer: Answer) -> None:
    try:
        os.write(sys.stdout.fileno(), msgspec.json.encode(answer) + b"\n")
    except BrokenPipeError:
        # The run is gone already; the end of our input says the same in a moment.
        return


if __name__ == "__main__":
    sys.exit(main())
