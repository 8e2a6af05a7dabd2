"""A whole server out of one directory: a private PostgreSQL, secrets made once, and the application in this process."""

from __future__ import annotations

import asyncio
import base64
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from server.app import Running, run_server
from server.db import bootstrap
from server.db.migrate import migrate
from server.domain.access import Role, User
from server.embedded.cluster import Cluster, prepare_cluster
from server.embedded.placement import write_private
from server.embedded.postgres import PrivatePostgres
from server.embedded.problems import DataDirectoryUnusable
from server.listening import bind
from server.parts import ServerPlan
from server.seed import Seeds, seed
from server.settings import EmbeddedSettings, check_secrets
from server.settings_access import plan_access
from server.settings_chain import ChainPlan
from server.settings_monitoring import plan_keeping, plan_monitoring
from shared.codes.keys import KeyRing, parse_key_ring
from shared.ids import TenantId, UserId
from shared.problems import DataDamaged, SettingsInvalid
from shared.settings import Secret

JWT_SECRET_FILE = "jwt-secret"  # noqa: S105 - a file name
KEY_FILE = "qr-encryption-key"
_CLUSTER_LINK = "pg"


class StackSecrets(Struct, frozen=True, kw_only=True):
    """What signs users' tokens and wraps stored keys."""

    jwt_secret: Secret
    ring: KeyRing


class EmbeddedCluster(Struct, frozen=True, kw_only=True):
    """A private PostgreSQL that is running and migrated, and the secrets that belong to its data."""

    postgres: PrivatePostgres
    source: str
    cluster: Cluster
    secrets: StackSecrets


class EmbeddedServer(Struct, frozen=True, kw_only=True):
    """A running server, its database, and what a program beside it may want of it."""

    running: Running
    cluster: EmbeddedCluster

    @property
    def base_url(self) -> str:
        """Return where it answers."""
        return self.running.base_url

    async def seed(self, *, places: int | None = None) -> Seeds:
        """Put the events for trying on sale, unless they are there; ``places`` are the main event's, 5,000 by default."""
        return await seed(self.running.parts.context, places=places)

    def make_token(self, tenant: UUID, user: UUID, role: str, email: str) -> str:
        """Return a token with which somebody may call the server; the address counts as verified."""
        caller = User(tenant=TenantId(tenant), user=UserId(user), role=Role(role), email=email or None)
        return self.running.parts.tokens.make(caller)


@asynccontextmanager
async def embedded_cluster(
    data_dir: Path, settings: EmbeddedSettings | None = None, *, unsafe_fast: bool = False
) -> AsyncIterator[EmbeddedCluster]:
    """Start the database of a data directory and bring it up to date.

    Secrets that ``settings`` does not give are the directory's own, made on first use.

    Raises:
        TicketTokenError: of ``PrivatePostgres`` and ``migrate``, or DataDamaged when the directory lost its key.
    """
    found = await asyncio.to_thread(load_secrets, data_dir, settings or EmbeddedSettings())
    postgres = PrivatePostgres(data_dir, unsafe_fast=unsafe_fast)
    async with postgres as running:
        cluster = await prepare_cluster(running, data_dir, bootstrap, migrate)
        yield EmbeddedCluster(postgres=postgres, source=running.source, cluster=cluster, secrets=found)


@asynccontextmanager
async def embedded_server(
    data_dir: Path,
    settings: EmbeddedSettings | None = None,
    *,
    chain: ChainPlan | None = None,
    listener: socket.socket | None = None,
    unsafe_fast: bool = False,
) -> AsyncIterator[EmbeddedServer]:
    """Run a whole server in this process, on a bound socket or else on a free loopback port; with ``chain`` it mints as well.

    Raises:
        TicketTokenError: of ``embedded_cluster`` and ``run_server``.
    """
    settings = settings or EmbeddedSettings()
    with listener or bind("127.0.0.1", 0) as taken:
        async with (
            embedded_cluster(data_dir, settings, unsafe_fast=unsafe_fast) as cluster,
            run_server(plan_for(cluster, settings, chain), taken) as running,
        ):
            yield EmbeddedServer(running=running, cluster=cluster)


def plan_for(cluster: EmbeddedCluster, settings: EmbeddedSettings, chain: ChainPlan | None = None) -> ServerPlan:
    """Return what a server on this cluster is opened with."""
    return ServerPlan(
        app_dsn=cluster.cluster.app_dsn,
        worker_dsn=cluster.cluster.worker_dsn,
        jwt_secret=cluster.secrets.jwt_secret,
        access=plan_access(settings),
        ring=cluster.secrets.ring,
        payments=settings.payments,
        hold=timedelta(minutes=settings.reservation_minutes),
        public_url=settings.public_url,
        horizon=timedelta(hours=settings.key_horizon_hours),
        overlap=timedelta(minutes=settings.key_overlap_minutes),
        print_font=settings.print_font,
        monitoring=plan_monitoring(settings),
        keep_people=plan_keeping(settings),
        chain=chain,
    )


def load_secrets(data_dir: Path, settings: EmbeddedSettings) -> StackSecrets:
    """Return the secrets of a data directory, made on first use in files only the owner can read; blocks.

    Raises:
        DataDamaged: the directory has data, but not the key its stored keys are wrapped with; or a kept secret is damaged.
        SettingsInvalid: a given secret is unfit.
        DataDirectoryUnusable: the directory cannot be written.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        jwt_secret = settings.jwt_secret or Secret(_load(data_dir / JWT_SECRET_FILE, secrets.token_hex(32)))
        key = settings.qr_encryption_key or Secret(_load_key(data_dir))
    except OSError as exc:
        raise DataDirectoryUnusable(
            f"{data_dir} cannot be used as data directory ({exc.strerror}): name another"
        ) from exc
    # What was given is checked first, so that a fault found after this is one of the kept files.
    check_secrets(settings.jwt_secret, settings.qr_encryption_key)
    _check_kept(data_dir / JWT_SECRET_FILE, jwt_secret, None)
    _check_kept(data_dir / KEY_FILE, None, key)
    return StackSecrets(jwt_secret=jwt_secret, ring=parse_key_ring(key.value))


def _check_kept(path: Path, jwt_secret: Secret | None, key: Secret | None) -> None:
    try:
        check_secrets(jwt_secret, key)
    except SettingsInvalid as exc:
        raise DataDamaged(f"{path} is damaged: restore it from a backup") from exc


def _load_key(data_dir: Path) -> str:
    path = data_dir / KEY_FILE
    if (data_dir / _CLUSTER_LINK).exists() and not path.exists():
        raise DataDamaged(
            f"{path} is missing, and without it the stored keys cannot be opened: restore it from a backup, "
            "or give QR_ENCRYPTION_KEY"
        )
    return _load(path, base64.b64encode(secrets.token_bytes(32)).decode())


def _load(path: Path, fresh: str) -> str:
    if not path.exists():
        write_private(path, fresh)
    return path.read_text(encoding="utf-8").strip()
