"""Whose signatures a transaction carries: keys behind one small interface, so that they may live elsewhere than in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from shared.problems import SettingsInvalid
from shared.secrecy import Reticent
from shared.settings import Secret


class Signer(Protocol):
    """Something that signs for one address."""

    @property
    def address(self) -> Pubkey:
        """Return whom it signs for."""
        ...

    async def sign(self, message: bytes) -> Signature:
        """Return the Ed25519 signature of a serialised message.

        Raises:
            Unavailable: the key's keeper does not answer.
        """
        ...


class MemorySigner:
    """A key in this process's memory."""

    def __init__(self, keypair: Keypair) -> None:
        self._keypair = keypair

    @property
    def address(self) -> Pubkey:
        """Return whom it signs for."""
        return self._keypair.pubkey()

    async def sign(self, message: bytes) -> Signature:
        """Return the signature of a message."""
        return self._keypair.sign_message(message)

    def __repr__(self) -> str:
        """Show the address alone."""
        return f"MemorySigner({self.address})"


class Keys(Reticent, frozen=True, kw_only=True):
    """The service's keys by what each may do.

    ``payer`` pays and owns nothing else, ``minter`` mints and cannot move, ``operator`` moves, freezes and burns. The key that
    made trees and collection is in none of them: it signs the set-up alone and is kept elsewhere.
    """

    payer: Signer
    minter: Signer
    operator: Signer


def read_signer(secret: Secret, name: str) -> MemorySigner:
    """Read a key as Solana's tools write it: 64 bytes in Base58, or as a JSON list of numbers.

    Raises:
        SettingsInvalid: it is neither; ``name`` says which setting is meant, the value is not shown.
    """
    text = secret.value.strip()
    try:
        keypair = Keypair.from_json(text) if text.startswith("[") else Keypair.from_base58_string(text)
    except ValueError as exc:
        raise SettingsInvalid(f"{name} is no Solana key: give 64 bytes in Base58 or as a JSON list.") from exc
    return MemorySigner(keypair)


async def sign_all(message: bytes, order: Sequence[Pubkey], signers: Sequence[Signer]) -> list[Signature]:
    """Return a signature for each address in the order in which the message wants them.

    Raises:
        SettingsInvalid: the key of one is not at hand.
    """
    by_address = {one.address: one for one in signers}
    missing = [str(address) for address in order if address not in by_address]
    if missing:
        raise SettingsInvalid(f"The key of {', '.join(missing)} is not at hand, and the transaction needs it.")
    return [await by_address[address].sign(message) for address in order]
