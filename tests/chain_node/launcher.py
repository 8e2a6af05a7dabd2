"""A real Solana node of the tests' own: installed by its hash from the lock beside this file, and ended with the test."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

HERE = Path(__file__).parent
PACKAGE = "@solana/surfpool-linux-x64-gnu"
START_S = 60
# It copies what it knows of the last transactions with each new one; most of that time goes into giving memory back at once.
MEMORY = (
    "glibc.malloc.mxfast=0:glibc.malloc.tcache_count=60000:glibc.malloc.trim_threshold=1073741824:"
    "glibc.malloc.top_pad=268435456:glibc.malloc.mmap_threshold=1073741824"
)
SLOT_MS = 50


class ChainNodeUnavailable(Exception):
    """There is no local Solana node to be had; the tests that need one fail."""


class ChainNode(Struct, frozen=True, kw_only=True):
    """A running node. ``payer`` is the secret key (64 bytes) of an account with plenty of lamports."""

    rpc: str
    ws: str
    payer: bytes


class _Started(Struct):
    rpc: str
    ws: str
    payer: list[int]


def install() -> Path:
    """Return the node's package, installed once for all runs on this machine.

    Raises:
        ChainNodeUnavailable: npm is missing or cannot get it.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise ChainNodeUnavailable(
            "the tests of the chain need npm and Node.js 18 or newer: apt-get install nodejs npm"
        )
    lock = (HERE / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tickettoken-tests"
    place = cache / f"solana-{hashlib.sha256(lock).hexdigest()[:16]}"
    package = place / "node_modules" / PACKAGE
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "solana.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            _install(npm, place)
    return package


def _install(npm: str, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, place / name)
    done = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=place,
        capture_output=True,
        check=False,
        timeout=300,
    )
    if done.returncode != 0:
        raise ChainNodeUnavailable(f"npm could not install the Solana node: {done.stderr.decode()[-500:]}")
    (place / "complete").touch()


@asynccontextmanager
async def chain_node(slot_ms: int = SLOT_MS) -> AsyncIterator[ChainNode]:
    """Run a node with an empty ledger; it ends with the block, or with the test process.

    Raises:
        ChainNodeUnavailable: it cannot be had.
    """
    package = await asyncio.to_thread(install)
    node = shutil.which("node")
    if node is None:
        raise ChainNodeUnavailable("the tests of the chain need Node.js 18 or newer: apt-get install nodejs")
    process = await asyncio.create_subprocess_exec(
        node,
        str(HERE / "start.cjs"),
        str(package),
        str(slot_ms),
        env={**os.environ, "GLIBC_TUNABLES": MEMORY},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline()
        if not line:
            raise ChainNodeUnavailable("the Solana node ended at its start")
        started = msgspec.json.decode(line, type=_Started)
        yield ChainNode(rpc=started.rpc, ws=started.ws, payer=bytes(started.payer))
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
