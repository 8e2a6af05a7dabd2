"""The private PostgreSQL as the program sees it: a context that starts it, hands out its address, and stops it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO

import msgspec

import server
from server.embedded.messages import Answer, Refused, Request, RunningPostgres
from server.embedded.problems import PROBLEMS, DataDirectoryUnusable, PostgresFailed

_LOG_LIMIT_BYTES = 8 * 1024 * 1024
_STOP_TIMEOUT_S = 45.0


class PrivatePostgres:
    """One cluster in `data_dir`, made on first use and served on a free loopback port while the context is open.

    The server belongs to a supervisor process that holds a pipe from this one, so it stops however this process ends.
    `unsafe_fast` gives up durability for speed and is for tests alone. `timeout_s` bounds the wait for readiness, crash
    recovery included.
    """

    def __init__(
        self, data_dir: Path, *, unsafe_fast: bool = False, max_connections: int = 100, timeout_s: float = 60.0
    ) -> None:
        self._data_dir = data_dir
        self._unsafe_fast = unsafe_fast
        self._max_connections = max_connections
        self._timeout_s = timeout_s
        self._supervisor: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> RunningPostgres:
        """Start the server in a thread.

        Raises:
            PostgresMissing, PostgresFailed, DataDirectoryInUse, DataDirectoryUnusable, ClusterTooNew, ClusterTooOld,
            ClusterDamaged: as their names say.
        """
        starting = asyncio.ensure_future(asyncio.to_thread(self.start))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread cannot be interrupted; its outcome no longer interests anybody, but its server must stop.
            await asyncio.wait([starting])
            await asyncio.to_thread(self.stop)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        await asyncio.to_thread(self.stop)

    async def wait_lost(self) -> None:
        """Return when the server has ended although nobody stopped it; for a task beside the program's own."""
        if self._supervisor is None or self._supervisor.stdout is None:
            return
        lost = asyncio.Event()
        loop, output = asyncio.get_running_loop(), self._supervisor.stdout.fileno()
        loop.add_reader(output, lost.set)
        try:
            await lost.wait()
        finally:
            loop.remove_reader(output)

    def start(self) -> RunningPostgres:
        """Start the server and block until it takes queries; see `__aenter__` for what is raised."""
        answer = self._launch()
        if isinstance(answer, Refused):
            self.stop()
            raise PROBLEMS.get(answer.code, PostgresFailed)(answer.message)
        return answer

    def stop(self) -> None:
        """Stop the server and block until it has ended; without a running one do nothing."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        try:
            supervisor.communicate(timeout=_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.communicate()

    def _launch(self) -> Answer:
        request = Request(
            data_dir=str(self._data_dir.absolute()),
            owner_pid=os.getpid(),
            unsafe_fast=self._unsafe_fast,
            max_connections=self._max_connections,
            timeout_s=self._timeout_s,
        )
        with self._open_log() as log:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-m", "server.embedded.supervisor", msgspec.json.encode(request).decode()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=Path(next(iter(server.__path__))).parent,
                # Ctrl-C in a terminal is for the program; it decides when its database stops.
                start_new_session=True,
            )
        return self._hear(self._supervisor)

    def _hear(self, supervisor: subprocess.Popen[bytes]) -> Answer:
        if supervisor.stdout is None:
            raise PostgresFailed("the database's supervisor has no output: this is a fault of this program")
        line = supervisor.stdout.readline()
        try:
            return msgspec.json.decode(line, type=RunningPostgres | Refused)
        except msgspec.DecodeError as exc:
            self.stop()
            raise PostgresFailed(f"the database's supervisor ended: see {self._data_dir / 'postgres.log'}") from exc

    def _open_log(self) -> IO[bytes]:
        log = self._data_dir / "postgres.log"
        try:
            self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
                log.replace(log.with_suffix(".log.old"))
            log.touch(mode=0o600)
            return log.open("ab")
        except OSError as exc:
            raise DataDirectoryUnusable(
                f"{self._data_dir} cannot be used as data directory ({exc.strerror}): name another"
            ) from exc
