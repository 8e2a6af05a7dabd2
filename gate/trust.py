"""Whose key bundles this gate believes: the key it was enrolled with, and those that key has announced since."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct
from msgspec.structs import replace

from gate.identity import Identity, save_identity
from gate.keystore import read_b64url, write_b64url
from shared.codes.bundle import KeyBundle, SealedBundle, open_bundle
from shared.problems import Denied
from shared.sync.command import Command, Configure, SignedCommand, open_command

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class OpenedBundle(Struct, frozen=True, kw_only=True):
    """A bundle that was believed, and the key it was signed with in Base64url."""

    bundle: KeyBundle
    signer: str


class OrganiserTrust:
    """The keys believed, in the order they came; ``identity.json`` remembers them.

    A successor is written down before the bundle that announces it is kept, and earlier keys are dropped only after a
    bundle signed by a later one was kept: a power cut in between leaves one key too many, never one too few.
    """

    def __init__(self, directory: Path, identity: Identity) -> None:
        self._directory = directory
        self._identity = identity

    @property
    def believed(self) -> tuple[str, ...]:
        """Return the keys whose signature counts, in Base64url."""
        return (self._identity.config_key, *self._identity.successors)

    def open(self, carried: SealedBundle, seal_key: X25519PrivateKey) -> OpenedBundle:
        """Verify and decrypt a bundle.

        Raises:
            Denied: it is signed by none of the keys believed, or sealed for another gate.
            CodeMalformed: of a form this version does not know.
        """
        *earlier, latest = self.believed
        for signer in earlier:
            try:
                return self._open_as(carried, seal_key, signer)
            except Denied:
                continue
        return self._open_as(carried, seal_key, latest)

    async def note_successor(self, bundle: KeyBundle) -> None:
        """Believe the key a bundle announces; to be called before the bundle is kept.

        Raises:
            StoreNotWritable: it cannot be written down, so the bundle must not be kept either.
        """
        if bundle.next_config_key is None:
            return
        announced = write_b64url(bundle.next_config_key)
        if announced not in self.believed:
            await self._save(replace(self._identity, successors=(*self._identity.successors, announced)))
            _log.info("trust.successor", believed=len(self.believed))

    async def drop_before(self, signer: str) -> None:
        """Stop believing the keys before the one that signed; to be called after its bundle was kept.

        Raises:
            StoreNotWritable: it cannot be written down; the next bundle tries again.
        """
        at = self.believed.index(signer)
        if at:
            kept = self.believed[at:]
            await self._save(replace(self._identity, config_key=kept[0], successors=kept[1:]))
            _log.info("trust.dropped", dropped=at)

    def open_command(self, carried: SignedCommand) -> Command:
        """Verify a command.

        Raises:
            Denied: it is signed by none of the keys believed, or for another gate.
            CodeMalformed: of a form this version does not know.
        """
        *earlier, latest = (Ed25519PublicKey.from_public_bytes(read_b64url(one)) for one in self.believed)
        for key in earlier:
            try:
                return open_command(carried, self._identity.gate, key)
            except Denied:
                continue
        return open_command(carried, self._identity.gate, latest)

    async def reassign(self, order: Configure) -> None:
        """Write down what this gate is from now on.

        Raises:
            Unavailable: it cannot be written down.
        """
        now = replace(
            self._identity,
            name=order.name,
            direction=order.direction,
            zones=order.zones,
            products=order.products,
            role=order.role,
        )
        if now != self._identity:
            await self._save(now)

    def _open_as(self, carried: SealedBundle, seal_key: X25519PrivateKey, signer: str) -> OpenedBundle:
        public = Ed25519PublicKey.from_public_bytes(read_b64url(signer))
        return OpenedBundle(bundle=open_bundle(carried, self._identity.gate, seal_key, public), signer=signer)

    async def _save(self, identity: Identity) -> None:
        await asyncio.to_thread(save_identity, self._directory, identity)
        self._identity = identity
