"""A server of the tests' own, behind its supervisor; it can be killed, stopped for a while, and brought back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from tests.services.messages import Answer, Refused, Request, Running
from tests.services.processes import ServiceUnavailable

_ROOT = Path(__file__).parents[2]
_END_TIMEOUT_S = 30.0


class PrivateService:
    """One server process; as a context manager it is there inside the block."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._running: Running | None = None

    @property
    def running(self) -> Running:
        """Return its addresses.

        Raises:
            ServiceUnavailable: it was not started.
        """
        if self._running is None:
            raise ServiceUnavailable(f"{self._request.service} was not started")
        return self._running

    def start(self) -> Running:
        """Start it and return once it answers; after a kill it comes back empty under its old address.

        Raises:
            ServiceUnavailable: it cannot be had.
        """
        request = self._request
        if self._running is not None:
            request = Request(service=request.service, port=self._running.port, password=self._running.password)
        self._supervisor = subprocess.Popen(
            [sys.executable, "-m", "tests.services.supervisor", msgspec.json.encode(request).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            start_new_session=True,  # Ctrl-C is for the test run, which then ends this in order
        )
        line = self._supervisor.stdout.readline() if self._supervisor.stdout else b""
        answer: Answer = msgspec.json.decode(line, type=Answer) if line else Refused(message="its supervisor ended")
        if isinstance(answer, Refused):
            self.stop()
            raise ServiceUnavailable(answer.message)
        self._running = answer
        return answer

    def restart(self, *, cut_off: bool = False) -> Running:
        """End it in order, or as a power cut would, and return once it answers again, with its data; RabbitMQ alone can do so.

        Raises:
            ServiceUnavailable: it did not come back.
        """
        if self._supervisor is None or self._supervisor.stdin is None or self._supervisor.stdout is None:
            raise ServiceUnavailable(f"{self._request.service} was not started")
        self._supervisor.stdin.write(b"k" if cut_off else b"r")
        self._supervisor.stdin.flush()
        answer: Answer = msgspec.json.decode(self._supervisor.stdout.readline(), type=Answer)
        if isinstance(answer, Refused):
            raise ServiceUnavailable(answer.message)
        self._running = answer
        return answer

    def stop(self) -> None:
        """End it in order; do nothing if it is not running."""
        if self._supervisor is None:
            return
        for pipe in (self._supervisor.stdin, self._supervisor.stdout):
            if pipe is not None:
                pipe.close()
        self._supervisor.wait(_END_TIMEOUT_S)
        self._supervisor = None

    def kill(self) -> None:
        """End it as a power cut would."""
        self.signal(signal.SIGKILL)
        self.stop()

    def signal(self, number: signal.Signals) -> None:
        """Send the server itself a signal, such as SIGSTOP to make it silent."""
        os.kill(self.running.pid, number)

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.stop()
