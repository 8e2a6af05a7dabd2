"""Finding RabbitMQ: installed by the system, or its Debian packages unpacked into a cache directory without root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from msgspec import Struct

from tests.services.processes import ServiceUnavailable

_INSTALLED = (
    ("system", "/usr/lib/rabbitmq/bin", "/usr/bin:/bin"),
    ("homebrew", "/opt/homebrew/opt/rabbitmq/sbin", "/opt/homebrew/bin:/usr/bin:/bin"),
    ("homebrew", "/usr/local/opt/rabbitmq/sbin", "/usr/local/bin:/usr/bin:/bin"),
)
_DEPENDS = ("--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces")
_NOT_WANTED = ("erlang-abi", "erlang-base-hipe")
_APT_TIMEOUT_S = 300.0

# The packaged `erl` has its root directory written in; this one looks beside itself.
_ERL = """#!/bin/sh
ROOTDIR="$(cd "$(dirname "$0")/../root/usr/lib/erlang" && pwd)"
BINDIR="$(echo "$ROOTDIR"/erts-*/bin)"
EMU=beam
PROGNAME=erl
export ROOTDIR BINDIR EMU PROGNAME
exec "$BINDIR/erlexec" ${1+"$@"}
"""


class RabbitPrograms(Struct, frozen=True, kw_only=True):
    """One RabbitMQ installation."""

    server: Path
    path: str
    """The PATH on which it finds Erlang."""
    source: str


def find_rabbitmq() -> RabbitPrograms:
    """Return an installed RabbitMQ, else the unpacked one, fetching it on first use.

    Raises:
        ServiceUnavailable: there is none and it cannot be fetched here.
    """
    for source, place, path in _INSTALLED:
        server = Path(place, "rabbitmq-server")
        if server.exists():
            return RabbitPrograms(server=server, path=path, source=source)
    home = _cache_home()
    if not home.exists():
        _unpack_packages(home)
    return RabbitPrograms(
        server=home / "root/usr/lib/rabbitmq/bin/rabbitmq-server",
        path=f"{home}/shim:{home}/root/usr/lib/erlang/bin:/usr/bin:/bin",
        source="unpacked Debian packages",
    )


def _cache_home() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    release = Path("/etc/os-release")
    lines = release.read_text().splitlines() if release.exists() else []
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    tag = (told.get("ID", "unknown") + told.get("VERSION_ID", "")).replace('"', "")
    return Path(cache, "tickettoken-tests", f"rabbitmq-{tag}-{os.uname().machine}")


def _unpack_packages(home: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise ServiceUnavailable(
            "there is no RabbitMQ: install rabbitmq-server (brew install rabbitmq), or set AMQP_URL and RABBITMQ_API_URL"
        )
    names = _package_names()
    sys.stderr.write(f"fetching {len(names)} packages of RabbitMQ and Erlang, about 35 MB, once, into {home}\n")
    unfinished = home.with_name(f"{home.name}.{os.getpid()}")
    try:
        (unfinished / "debs").mkdir(parents=True)
        _run(["apt-get", "download", "-qq", *names], unfinished / "debs")
        for package in (unfinished / "debs").glob("*.deb"):
            _run(["dpkg-deb", "-x", str(package), str(unfinished / "root")], unfinished)
        shutil.rmtree(unfinished / "debs")
        (unfinished / "shim").mkdir()
        shim = unfinished / "shim" / "erl"
        shim.write_text(_ERL)
        shim.chmod(0o755)
        if not home.exists():
            unfinished.rename(home)
    except OSError as exc:
        # Another run that was quicker has left a complete directory, which is as good.
        if not home.exists():
            raise ServiceUnavailable(
                f"RabbitMQ could not be unpacked into {home} ({exc}): install rabbitmq-server"
            ) from exc
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _package_names() -> list[str]:
    said = _run(["apt-cache", "depends", *_DEPENDS, "--no-enhances", "rabbitmq-server"], Path("/"))
    if "erlang-base" not in said and os.geteuid() == 0:
        _run(["apt-get", "update", "-qq"], Path("/"))
        said = _run(["apt-cache", "depends", *_DEPENDS, "--no-enhances", "rabbitmq-server"], Path("/"))
    erlang = sorted({line for line in said.splitlines() if line.startswith("erlang-")})
    wanted = [name for name in erlang if not name.startswith(_NOT_WANTED)]
    if not wanted:
        raise ServiceUnavailable("apt does not know rabbitmq-server: run `apt-get update`, or install rabbitmq-server")
    return ["rabbitmq-server", *wanted]


def _run(command: list[str], directory: Path) -> str:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=_APT_TIMEOUT_S)
    if done.returncode != 0 and command[0] != "apt-cache":
        said = " ".join(done.stderr.split())[-300:]
        raise ServiceUnavailable(
            f"`{' '.join(command[:2])}` failed ({said}): install rabbitmq-server, or set AMQP_URL and RABBITMQ_API_URL"
        )
    return done.stdout
