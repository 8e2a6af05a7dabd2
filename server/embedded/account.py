"""Which account PostgreSQL runs as, and what that account can reach: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from pathlib import Path
from typing import TypedDict

from msgspec import Struct

from server.embedded.problems import DataDirectoryUnusable


class ProcessIdentity(TypedDict, total=False):
    """The arguments of subprocess.Popen that change who a child is; empty keeps the caller's identity."""

    user: int
    group: int
    extra_groups: list[int]


class Account(Struct, frozen=True, kw_only=True):
    """An unprivileged account with an entry in the password file, which initdb insists on."""

    uid: int
    gid: int

    @property
    def identity(self) -> ProcessIdentity:
        """Return what makes a child process run as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def serving_account(cluster: Path) -> Account | None:
    """Return the account to run PostgreSQL as, or None when the caller's own will do.

    Only root needs another one: the owner of an existing cluster, else `postgres`, else `nobody`.

    Raises:
        DataDirectoryUnusable: running as root on a machine with none of these accounts.
    """
    if os.geteuid() != 0:
        return None
    by_uid = {entry.pw_uid: entry for entry in pwd.getpwall()}
    by_name = {entry.pw_name: entry for entry in by_uid.values()}
    owner = by_uid.get(cluster.stat().st_uid) if cluster.exists() else None
    candidates = (owner, by_name.get("postgres"), by_name.get("nobody"))
    for entry in candidates:
        if entry is not None and entry.pw_uid != 0:
            return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise DataDirectoryUnusable(
        "PostgreSQL refuses to run as root and there is no account `postgres` or `nobody`: run this as an ordinary user"
    )


def can_enter(account: Account | None, path: Path) -> bool:
    """Tell whether the account may pass through every directory above and including `path`."""
    if account is None:
        return True
    return all(_open_to(account, place.stat(), stat.S_IXUSR, stat.S_IXOTH) for place in (path, *path.parents))


def can_read(account: Account | None, path: Path) -> bool:
    """Tell whether the account may read the file itself; the way to it is `can_enter`'s question."""
    return account is None or _open_to(account, path.stat(), stat.S_IRUSR, stat.S_IROTH)


def give(path: Path, account: Account | None) -> None:
    """Make the account the owner of one file or directory."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def make_public_copy(source: Path, target: Path) -> None:
    """Copy a directory so that every account can read it; complete or absent, also after an interruption."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(source, unfinished, symlinks=True)
    for place in (unfinished, *unfinished.rglob("*")):
        if not place.is_symlink():
            mode = place.stat().st_mode
            place.chmod(mode | 0o444 | (0o111 if place.is_dir() or mode & stat.S_IXUSR else 0))
    unfinished.rename(target)


def _open_to(account: Account, status: os.stat_result, owner_bit: int, other_bit: int) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & owner_bit)
    return bool(status.st_mode & other_bit)
