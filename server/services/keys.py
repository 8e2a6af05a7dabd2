"""The key vault: a tenant's and an event's secrets, made on first use, stored wrapped, held in memory unwrapped."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.services.epochs import LAST_EPOCH, EpochSecrets, epoch_at, epoch_start
from server.services.ports import Unit
from server.services.problems import KeyRetired
from server.services.rows import EventRow, KeyKind, TenantKeyRow
from server.services.wrapping import Wrapping, public_half
from shared.clock import Clock
from shared.codes.keys import KeyRing
from shared.codes.reader import EpochKey
from shared.ids import EventId, RandomBytes, TenantId
from shared.problems import Internal
from shared.secrecy import Reticent

__all__ = ["LAST_EPOCH", "EpochSecrets", "KeyVault", "MasterSecrets", "epoch_at", "epoch_start", "public_half"]

_FIRST_KEY = 1
_CACHED_EPOCHS = 4096

_EpochName = tuple[EventId, int, int]
_KeyName = tuple[TenantId, KeyKind, int]


class MasterSecrets(Reticent, frozen=True, kw_only=True):
    """A tenant's master secrets, 32 bytes each, by number; new tickets and generations are made with the newest."""

    secrets: Mapping[int, bytes]

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Number the secrets, show none."""
        return [("numbers", sorted(self.secrets))]

    @property
    def newest(self) -> int:
        """Return the newest master's number."""
        return max(self.secrets)

    def of(self, number: int) -> bytes:
        """Return the master a ticket's generation was made with.

        Raises:
            KeyRetired: it was erased.
        """
        secret = self.secrets.get(number)
        if secret is None:
            raise KeyRetired(
                f"Master secret {number} of this organiser was retired: what it made cannot be made again."
            )
        return secret


class KeyVault:
    """Hands out secrets. What it keeps in memory is only what a committed transaction has seen.

    Every method may raise SettingsInvalid or DataDamaged: the key ring does not open what is stored.
    """

    def __init__(self, ring: KeyRing, random_bytes: RandomBytes, clock: Clock) -> None:
        self.wrapping = Wrapping(ring, random_bytes)
        self._clock = clock
        self._secrets: dict[_KeyName, bytes] = {}
        self._epochs: OrderedDict[_EpochName, EpochSecrets] = OrderedDict()

    async def masters(self, tx: Unit) -> MasterSecrets:
        """Return the tenant's masters that are not retired, making the first on first use."""
        rows = await self._rows(tx, KeyKind.MASTER)
        return MasterSecrets(secrets={row.id: self._open(tx, row) for row in rows})

    async def known_masters(self, tx: Unit) -> MasterSecrets | None:
        """Return the tenant's masters, and None, without making one, if there are none."""
        return None if await tx.keys.get(KeyKind.MASTER) is None else await self.masters(tx)

    async def master(self, tx: Unit) -> bytes:
        """Return the tenant's newest 32-byte master secret, making the first on first use."""
        masters = await self.masters(tx)
        return masters.of(masters.newest)

    async def config_key(self, tx: Unit, number: int | None = None) -> Ed25519PrivateKey:
        """Return the key of a number the tenant signs its gates' bundles with, the newest if none is named.

        Raises:
            KeyRetired: it was erased.
        """
        rows = await self._rows(tx, KeyKind.CONFIG)
        wanted = rows[-1].id if number is None else number
        row = next((row for row in rows if row.id == wanted), None)
        if row is None:
            raise KeyRetired(f"Config key {wanted} of this organiser was retired: enrol the gate anew.")
        return Ed25519PrivateKey.from_private_bytes(self._open(tx, row))

    async def epochs(self, tx: Unit, event: EventRow, first: int, last: int) -> list[EpochSecrets]:
        """Return the keys of the epochs from ``first`` to ``last`` inclusive, making those that are missing.

        ``event`` is as this transaction read it: its key series tells whether what is remembered still counts.
        """
        wanted = range(max(0, first), min(last, LAST_EPOCH) + 1)
        known = [self._epochs.get((event.id, event.key_series, epoch)) for epoch in wanted]
        found = [one for one in known if one is not None]
        if len(found) == len(wanted):
            return found
        rows = await tx.keys.epochs(event.id, wanted.start, wanted.stop - 1)
        missing = set(wanted) - {row.epoch for row in rows}
        if missing:
            await tx.keys.add_epochs([self.wrapping.make_epoch(event, epoch) for epoch in sorted(missing)])
            rows = await tx.keys.epochs(event.id, wanted.start, wanted.stop - 1)
        opened = [self.wrapping.open_epoch(event.tenant, row) for row in rows]
        tx.on_commit(lambda: self._remember(event.key_series, opened))
        return opened

    async def replaced(self, tx: Unit, event: EventRow, epochs: Collection[int]) -> list[EpochKey]:
        """Return the replaced keys of epochs, the latest first, each with the moment until which its codes count."""
        rows = await tx.keys.replaced(event.id, sorted(epochs))
        return [self.wrapping.open_replaced(event.tenant, row) for row in rows]

    async def unwrap_all(self, tx: Unit) -> int:
        """Try the ring on every key the tenant has and return how many opened; for a check of the installation."""
        rows = [row for kind in KeyKind for row in await tx.keys.list_all(kind)]
        for row in rows:
            self.wrapping.open_key(tx.tenant, row)
        opened = len(rows)
        for event in await tx.events.list_all():
            epochs = await tx.keys.epochs(event.id, 0, LAST_EPOCH)
            for epoch in epochs:
                self.wrapping.open_epoch(tx.tenant, epoch)
            opened += len(epochs) + len(await self.replaced(tx, event, {one.epoch for one in epochs}))
        return opened

    async def _rows(self, tx: Unit, kind: KeyKind) -> list[TenantKeyRow]:
        rows = await tx.keys.list_all(kind)
        if not rows:
            await tx.keys.add(self.wrapping.make_key(tx.tenant, kind, _FIRST_KEY))
            rows = await tx.keys.list_all(kind)
        if not rows:
            raise Internal("A key that was just stored cannot be found: check the database's grants.")
        return rows

    def _open(self, tx: Unit, row: TenantKeyRow) -> bytes:
        name = (tx.tenant, row.kind, row.id)
        known = self._secrets.get(name)
        if known is not None:
            return known
        secret = self.wrapping.open_key(tx.tenant, row)
        tx.on_commit(lambda: self._secrets.__setitem__(name, secret))
        return secret

    def _remember(self, series: int, opened: list[EpochSecrets]) -> None:
        for one in opened:
            self._epochs[one.event, series, one.epoch] = one
        while len(self._epochs) > _CACHED_EPOCHS:
            self._epochs.popitem(last=False)
