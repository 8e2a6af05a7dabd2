"""How an instruction's accounts are written down: who signs, what is written, and what is left out."""

from __future__ import annotations

from collections.abc import Sequence

from solders.instruction import AccountMeta
from solders.pubkey import Pubkey

from server.chain.programs import BUBBLEGUM


def reads(account: Pubkey) -> AccountMeta:
    """Return an account that is only read."""
    return AccountMeta(account, is_signer=False, is_writable=False)


def writes(account: Pubkey) -> AccountMeta:
    """Return an account that is written."""
    return AccountMeta(account, is_signer=False, is_writable=True)


def signs(account: Pubkey) -> AccountMeta:
    """Return an account that signs and is only read."""
    return AccountMeta(account, is_signer=True, is_writable=False)


def pays(account: Pubkey) -> AccountMeta:
    """Return an account that signs and is written, as whoever pays is."""
    return AccountMeta(account, is_signer=True, is_writable=True)


def left_out() -> AccountMeta:
    """Return what stands where Bubblegum is to take its default: its own id."""
    return reads(BUBBLEGUM)


def maybe_writes(account: Pubkey | None) -> AccountMeta:
    """Return a written account, or that it is left out."""
    return left_out() if account is None else writes(account)


def maybe_reads(account: Pubkey | None) -> AccountMeta:
    """Return a read account, or that it is left out."""
    return left_out() if account is None else reads(account)


def maybe_signs(account: Pubkey | None) -> AccountMeta:
    """Return a signing account, or that it is left out."""
    return left_out() if account is None else signs(account)


def nodes(proof: Sequence[bytes]) -> list[AccountMeta]:
    """Return a proof as the accounts it travels in, the leaf's sibling first."""
    return [reads(Pubkey(node)) for node in proof]
