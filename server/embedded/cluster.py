"""The program's own database inside a private cluster: its roles' passwords and their addresses."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from server.embedded.messages import RunningPostgres
from server.embedded.placement import write_private
from server.embedded.problems import ClusterDamaged

_OWNER, _APP, _WORKER = "tt_owner", "tt_app", "tt_worker"
_DATABASE = "tickettoken"
_PASSWORD_FILE = "role-passwords.json"  # noqa: S105 - a file name
_PASSWORD_BYTES = 24


class Cluster(Struct, frozen=True, kw_only=True):
    """How each role reaches the program's database."""

    owner_dsn: str
    app_dsn: str
    worker_dsn: str

    def __repr__(self) -> str:
        """Return no address, because each carries a password."""
        return "Cluster(…)"


class Administration(Protocol):
    """The superuser's work, done by the database layer."""

    async def create_owner(self, admin_dsn: str, password: str) -> None:
        """Make the owning role or give it this password."""
        ...

    async def create_database(self, admin_dsn: str, name: str) -> bool:
        """Make a database of the owning role if it is not there; tell whether it was made."""
        ...

    async def set_role_passwords(self, admin_dsn: str, passwords: Mapping[str, str]) -> None:
        """Give roles their passwords."""
        ...


async def prepare_cluster(
    postgres: RunningPostgres,
    data_dir: Path,
    administration: Administration,
    migrate: Callable[[str], Awaitable[object]],
) -> Cluster:
    """Bring a started cluster to the state the program needs and return its addresses; safe to repeat.

    Order matters: the owner makes the schema and the other roles (`migrate`, called with the owner's URL), and only
    then can these have passwords. Passwords are random, made once, and kept in a 0600 file of the data directory.

    Raises:
        ClusterDamaged: the password file is unreadable.
    """
    passwords = await asyncio.to_thread(_role_passwords, data_dir / _PASSWORD_FILE)
    await administration.create_owner(postgres.dsn(), passwords[_OWNER])
    await administration.create_database(postgres.dsn(), _DATABASE)
    owner_dsn = postgres.dsn_for(_OWNER, passwords[_OWNER], _DATABASE)
    await migrate(owner_dsn)
    await administration.set_role_passwords(postgres.dsn(), {role: passwords[role] for role in (_APP, _WORKER)})
    return Cluster(
        owner_dsn=owner_dsn,
        app_dsn=postgres.dsn_for(_APP, passwords[_APP], _DATABASE),
        worker_dsn=postgres.dsn_for(_WORKER, passwords[_WORKER], _DATABASE),
    )


def _role_passwords(path: Path) -> dict[str, str]:
    if not path.exists():
        fresh = {role: secrets.token_urlsafe(_PASSWORD_BYTES) for role in (_OWNER, _APP, _WORKER)}
        write_private(path, json.dumps(fresh))
    try:
        stored = json.loads(path.read_text())
        return {role: str(stored[role]) for role in (_OWNER, _APP, _WORKER)}
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise ClusterDamaged(f"{path} cannot be read: delete it, fresh passwords are made at the next start") from exc
