"""The process between a program and its PostgreSQL: when the program ends, even by SIGKILL, it stops the server.

`python -m server.embedded.supervisor REQUEST` prints one JSON line, then waits until its standard input ends.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import msgspec

from server.embedded import process
from server.embedded.binaries import choose_binaries, make_reachable
from server.embedded.messages import Answer, Refused, Request, RunningPostgres
from server.embedded.ownership import Ownership, own
from server.embedded.placement import find_place, superuser_password
from server.embedded.problems import DataDirectoryUnusable
from shared.problems import TicketTokenError

USER = "postgres"


def main() -> int:
    """Serve one request; return the process's exit status."""
    request = msgspec.json.decode(sys.argv[1], type=Request)
    try:
        return _supervise(request)
    except TicketTokenError as problem:
        _answer(Refused(code=problem.code, message=str(problem)))
    except OSError as problem:
        text = f"{request.data_dir} cannot be used as data directory ({problem}): name another"
        _answer(Refused(code=DataDirectoryUnusable.code, message=text))
    return 1


def _supervise(request: Request) -> int:
    data_dir = Path(request.data_dir)
    place = find_place(data_dir)
    with own(place.lock, request.owner_pid) as ownership:
        wanted = process.major_version(place.cluster)
        password = superuser_password(data_dir, cluster_exists=wanted is not None)
        binaries = make_reachable(choose_binaries(wanted), place.account, place.home)
        plan = process.ServerPlan(
            placement=place,
            binaries=binaries,
            log=data_dir / "postgres.log",
            unsafe_fast=request.unsafe_fast,
            max_connections=request.max_connections,
            timeout_s=request.timeout_s,
        )
        if wanted is None:
            process.make_cluster(plan, password)
        return _serve(plan, password, ownership)


def _serve(plan: process.ServerPlan, password: str, ownership: Ownership) -> int:
    server, port = process.start_server(plan)
    try:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        running = RunningPostgres(
            host=process.HOST,
            port=port,
            user=USER,
            password=password,
            source=f"{plan.binaries.source} {plan.binaries.version}",
            log=str(plan.log),
        )
        _answer(running)
        threading.Thread(target=_await_end_of_input, daemon=True).start()
        server.wait()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        ownership.announce_stop()
        process.stop_server(server)
    return 1


def _await_end_of_input() -> None:
    """Turn the end of the program, seen as the end of our input, into the signal that stops us."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    main_thread = threading.main_thread().ident
    if main_thread is not None:
        signal.pthread_kill(main_thread, signal.SIGTERM)


def _answer(answer: Answer) -> None:
    line = msgspec.json.encode(answer) + b"\n"
    try:
        os.write(sys.stdout.fileno(), line)
    except BrokenPipeError:
        # The program is gone already; the end of our input says the same in a moment.
        return


if __name__ == "__main__":
    sys.exit(main())
