"""What a thief takes from a gate: every file of its data directory, and whatever those files open."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct
from msgspec.structs import replace

from gate.identity import Identity, load_identity
from gate.keystore import GateKeys, load_keys
from gate.trust import OrganiserTrust
from shared.codes import chain
from shared.codes.bundle import KeyBundle, SealedBundle
from shared.codes.capsule import Capsule, CodePolicy, Profile, open_capsule, pack_header, seal
from shared.codes.reader import EpochKey
from shared.codes.token import Token, read_text, unpack_token, write_token


class Loot(Struct, frozen=True, kw_only=True, eq=False):
    """A stolen gate: its files as bytes, its keys, its opened bundle, and the rows of its copy of the event."""

    files: dict[str, bytes]
    identity: Identity
    keys: GateKeys
    bundle: KeyBundle
    rows: dict[bytes, bytes]

    def key_of(self, token: Token) -> EpochKey:
        """Return the epoch key that opens a code."""
        return next(key for key in self.bundle.epochs if self.open_with(key, token) is not None)

    def open(self, token: Token) -> Capsule:
        """Look into a code that was shown at this gate."""
        found = self.open_with(self.key_of(token), token)
        assert found is not None
        return found

    @staticmethod
    def open_with(key: EpochKey, token: Token) -> Capsule | None:
        """Look into a code with one key."""
        issuer = Ed25519PublicKey.from_public_bytes(key.issuer)
        return open_capsule(token.capsule, key.event, key.envelope_key, issuer)


async def take_everything(directory: Path) -> Loot:
    """Read a gate's data directory, which nobody runs any more."""
    return await asyncio.to_thread(_take, directory)


def _take(directory: Path) -> Loot:
    files = {path.name: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    identity, keys = load_identity(directory), load_keys(directory)
    connection = sqlite3.connect(directory / "world.db")
    try:
        sealed, signature = connection.execute("SELECT sealed, signature FROM bundles").fetchone()
        rows = dict(connection.execute("SELECT handle_hash, sealed FROM tickets").fetchall())
    finally:
        connection.close()
    carried = SealedBundle(sealed=sealed, signature=signature)
    bundle = OrganiserTrust(directory, identity).open(carried, keys.seal).bundle
    return Loot(files=files, identity=identity, keys=keys, bundle=bundle, rows=rows)


def make_attempts(loot: Loot, shown: str, victim_hash: bytes) -> dict[str, str]:
    """Return codes a thief can make who has the gate and one code that was shown at it, by how they are made."""
    token = unpack_token(read_text(shown))
    assert token.slot is not None
    assert token.value is not None
    slot, value = token.slot, token.value
    key, capsule = loot.key_of(token), loot.open(token)
    stranger = Ed25519PrivateKey.generate()
    live = replace(capsule, claims=replace(capsule.claims, handle=victim_hash))
    paper_header = replace(capsule.header, profile=Profile.STATIC)
    paper = replace(capsule, header=paper_header, claims=replace(capsule.claims, policy=int(CodePolicy.STATIC_ALLOWED)))
    context = chain.derive_context(key.event, pack_header(capsule.header), victim_hash)
    own_value = bytes(16)
    own = replace(live, anchor=chain.walk_down(context, own_value, slot + 40, 0))
    made = {
        "the same value in the next slot": Token(capsule=token.capsule, slot=slot + 1, value=value),
        "the same value in a coming slot": Token(capsule=token.capsule, slot=slot + 20, value=value),
        "the anchor in the first slot": Token(capsule=token.capsule, slot=1, value=capsule.anchor),
        "the anchor in a coming slot": Token(capsule=token.capsule, slot=slot + 20, value=capsule.anchor),
        "the anchor in slot nought": Token(capsule=token.capsule, slot=0, value=capsule.anchor),
        "no live part": Token(capsule=token.capsule),
        "the next day's header": Token(
            capsule=pack_header(replace(capsule.header, epoch=capsule.header.epoch + 1)) + token.capsule[4:],
            slot=slot,
            value=value,
        ),
        "made paper by its header": Token(capsule=pack_header(paper_header) + token.capsule[4:]),
    }
    for name, signer in {"a key of one's own": stranger, "the gate's key": loot.keys.sign}.items():
        sealed = seal(own, key.event, key.envelope_key, signer)
        at = chain.walk_down(context, own_value, slot + 40, slot + 20)
        made[f"another ticket, signed with {name}"] = Token(capsule=sealed, slot=slot + 20, value=at)
        made[f"the same ticket on paper, signed with {name}"] = Token(
            capsule=seal(paper, key.event, key.envelope_key, signer)
        )
    return {why: write_token(one) for why, one in made.items()}


def alter(data: bytes, other: bytes, dice: random.Random) -> bytes:
    """Return a code with bits turned, bytes replaced, parts of another code put in, or a piece cut out."""
    changed = bytearray(data)
    at, size = dice.randrange(len(data)), dice.randint(1, 40)
    match dice.randrange(4):
        case 0:
            for _ in range(dice.randint(1, 3)):
                changed[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        case 1:
            changed[at : at + size] = dice.randbytes(len(changed[at : at + size]))
        case 2:
            changed[at : at + size] = other[at : at + size]
        case _:
            del changed[at : at + size]
    return bytes(changed)
