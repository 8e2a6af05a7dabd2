"""Where a cluster lies: in the data directory, or in /var/lib when the serving account cannot get there."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from pathlib import Path

from msgspec import Struct

from server.embedded.account import Account, can_enter, give, serving_account
from server.embedded.problems import ClusterDamaged, DataDirectoryUnusable

OUTSIDE = Path("/var/lib/tickettoken")

_CLUSTER = "pg"
_PASSWORD_FILE = "superuser-password.json"  # noqa: S105 - a file name
_PASSWORD_BYTES = 24


class Placement(Struct, frozen=True, kw_only=True):
    """The places of one cluster and the account that serves it."""

    home: Path
    """The real directory around the cluster; the account may enter it."""
    account: Account | None

    @property
    def cluster(self) -> Path:
        """Return PostgreSQL's own data directory."""
        return self.home / _CLUSTER

    @property
    def workshop(self) -> Path:
        """Return where a cluster is prepared until it is complete."""
        return self.home / "pg-unfinished"

    @property
    def lock(self) -> Path:
        """Return the file whose lock means "this cluster has an owner"."""
        return self.home / "owner.lock"


def find_place(data_dir: Path) -> Placement:
    """Return where the cluster of a data directory lies, and prepare the way for a new one.

    As root the cluster belongs to an unprivileged account. If that account cannot pass a directory above the data
    directory, such as root's home, nobody's modes are changed: the cluster goes below /var/lib/tickettoken and the data
    directory keeps a link to it.

    Raises:
        DataDirectoryUnusable: a directory cannot be made or entered.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        link = data_dir / _CLUSTER
        account = serving_account(link)
        home = link.resolve().parent if link.is_symlink() or link.exists() else _choose_home(data_dir, account)
        home.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as exc:
        raise DataDirectoryUnusable(f"cannot use {data_dir} as data directory ({exc.strerror}): name another") from exc
    return Placement(home=home, account=account)


def remove_place(data_dir: Path) -> None:
    """Remove a data directory for good, and its cluster with it where that lies outside; nobody may be serving it.

    What cannot be removed is left behind in silence: there is nobody the leftover harms.
    """
    link = data_dir / _CLUSTER
    home = link.resolve().parent
    if link.is_symlink() and home.parent == OUTSIDE:
        shutil.rmtree(home, ignore_errors=True)
    shutil.rmtree(data_dir, ignore_errors=True)


def superuser_password(data_dir: Path, *, cluster_exists: bool) -> str:
    """Return the superuser's password from its 0600 file, which is made for a cluster yet to come.

    Raises:
        ClusterDamaged: the cluster is there but its password file is not, or is unreadable.
    """
    path = data_dir / _PASSWORD_FILE
    if not path.exists() and not cluster_exists:
        write_private(path, json.dumps({"postgres": secrets.token_urlsafe(_PASSWORD_BYTES)}))
    try:
        return str(json.loads(path.read_text())["postgres"])
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise ClusterDamaged(
            f"{path} is missing or unreadable, and without it nobody can log in to the database: "
            "restore it from a backup, or move the data directory away to start anew"
        ) from exc


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner can read; a reader sees the whole text or no file."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def make_private_directory(path: Path, account: Account | None) -> None:
    """Make a directory that only the serving account can look into."""
    path.mkdir(mode=0o700)
    give(path, account)


def _choose_home(data_dir: Path, account: Account | None) -> Path:
    if account is None:
        return data_dir.resolve()
    # The data directory is ours, so letting others pass it is no change of foreign modes; its secrets are 0600 files.
    data_dir.chmod(data_dir.stat().st_mode | 0o011)
    if can_enter(account, data_dir.resolve()):
        return data_dir.resolve()
    # Never a name made from the path: a data directory deleted and made again must not meet its old cluster.
    home = OUTSIDE / secrets.token_hex(8)
    home.mkdir(mode=0o711, parents=True)
    (home / "data-directory").write_text(f"{data_dir.resolve()}\n")
    try:
        (data_dir / _CLUSTER).symlink_to(home / _CLUSTER)
    except FileExistsError:
        # Another start was quicker; its choice counts.
        shutil.rmtree(home)
    return (data_dir / _CLUSTER).resolve().parent
