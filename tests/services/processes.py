"""Starting server programs on loopback, knowing when they answer, and reading what they said last."""

from __future__ import annotations

import re
import secrets
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

HOST = "127.0.0.1"

_PORTS = range(15_000, 32_000)
_TAIL_CHARACTERS = 600
_PAUSE_S = 0.02


class ServiceUnavailable(Exception):
    """A server the tests need cannot be had; the message is one sentence that says what to do."""


def free_port() -> int:
    """Return a loopback port nobody uses at this moment, out of those no system gives to outgoing connections by itself.

    A server that takes seconds to start would otherwise find, now and then, that somebody was quicker.
    """
    while True:
        with socket.socket() as probe:
            try:
                probe.bind((HOST, secrets.choice(_PORTS)))
            except OSError:
                continue
            return int(probe.getsockname()[1])


def spawn(command: list[str], directory: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a program that writes what it says into ``output.log`` of its directory."""
    with (directory / "output.log").open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory, env=dict(env))


def wait_for_answer(process: subprocess.Popen[bytes], port: int, hello: bytes, timeout_s: float) -> bool:
    """Return True once the port answers ``hello``, False if the program ended or the time is over."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if _answers(port, hello):
            return True
        try:
            process.wait(_PAUSE_S)
        except subprocess.TimeoutExpired:
            continue
        return False
    return False


def last_words(directory: Path) -> str:
    """Return the end of what a program wrote, on one line."""
    said = (directory / "output.log").read_text(errors="replace").strip()
    return re.sub(r"\s+", " ", said[-_TAIL_CHARACTERS:]) or "it said nothing"


def _answers(port: int, hello: bytes) -> bool:
    try:
        with socket.create_connection((HOST, port), 1) as connection:
            connection.sendall(hello)
            return bool(connection.recv(1))
    except OSError:
        return False
