"""Writes codes.json: seeds, contexts, capsules and tokens from fixed keys, and the answer each text must get at a time."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import structs, to_builtins

from shared.codes import base32, base45, chain
from shared.codes.capsule import CodePolicy, Profile, event_hint, open_capsule, seal
from shared.codes.keys import derive_handle, derive_seed, hash_handle
from shared.codes.token import Token, pack_token, write_token, write_wedge_token
from shared.ids import EventId
from shared.problems import Internal
from tests.unit.shared.samples import ENVELOPE, EVENT, ISSUER, MASTER, T0, Order, Phone, epoch_key, issue, secret

TARGET = Path(__file__).with_name("codes.json")
DAY = timedelta(hours=24)
HALF_HOUR = timedelta(minutes=30, seconds=7)
TWIN = EventId(next(UUID(int=n) for n in range(1, 10_000) if event_hint(UUID(int=n)) == event_hint(EVENT)))
ALIEN = EventId(next(UUID(int=n) for n in range(1, 10_000) if event_hint(UUID(int=n)) != event_hint(EVENT)))
REPLACED_ENVELOPE = secret("replaced envelope")
REPLACED_ISSUER = Ed25519PrivateKey.from_private_bytes(secret("replaced issuer"))
REPLACED_UNTIL = T0 + timedelta(hours=12, minutes=10)
REPLACED = structs.replace(
    epoch_key(),
    envelope_key=REPLACED_ENVELOPE,
    issuer=REPLACED_ISSUER.public_key().public_bytes_raw(),
    until=REPLACED_UNTIL,
)
EPOCHS = [
    epoch_key(),
    REPLACED,
    epoch_key(Order(epoch=1, starts=T0 + DAY, length=HALF_HOUR, slot_s=60)),
    epoch_key(Order(event=TWIN, epoch=1, starts=T0 + DAY)),
]
PHONES: dict[str, Phone] = {
    "plain": issue(),
    "rich": issue(generation=258, product=65535, zones=65535, not_before=6, not_after=144, entries=255, policy=7),
    "short epoch": issue(epoch=1, starts=T0 + DAY, length=HALF_HOUR, slot_s=60),
    "twin event": issue(event=TWIN, epoch=1, starts=T0 + DAY),
    "paper": issue(profile=Profile.STATIC, policy=CodePolicy.STATIC_ALLOWED),
    "paper not allowed": issue(profile=Profile.STATIC),
    "allowed but live": issue(policy=CodePolicy.STATIC_ALLOWED),
    "other event": issue(event=ALIEN),
    "unknown epoch": issue(epoch=9),
    "another twin epoch": issue(event=TWIN),
    "later version": issue(version=2),
    "later profile": issue(profile=2),
    "later demand": issue(policy=8),
}


def at(phone: Phone, slot: int) -> datetime:
    """Return the middle of a slot."""
    return phone.order.starts + timedelta(seconds=(slot - 0.5) * phone.order.slot_s)


def texts() -> Iterator[tuple[str, str, datetime, str, int | None]]:
    """Give name, text, time, answer and seconds off; the answers are written by hand."""
    noon, plain = 2881, PHONES["plain"]
    token = plain.token(noon)
    for off, answer in [(-3, "code_stale"), (-2, "ok"), (0, "ok"), (1, "ok"), (2, "code_future")]:
        yield f"shown {off} slots off", write_token(plain.token(noon + off)), at(plain, noon), answer, off * 15
    yield "as Base32", write_wedge_token(token), at(plain, noon), "ok", 0
    yield "as Base32, small letters, hyphens", hyphens(write_wedge_token(token).lower()), at(plain, noon), "ok", 0
    yield "with a line end", "\t" + write_token(token) + "\r\n", at(plain, noon), "ok", 0
    yield "with a space", write_token(token) + " ", at(plain, noon), "code_unreadable", None
    yield "the first slot", write_token(plain.token(1)), T0, "ok", 0
    yield "the first slot, early", write_token(plain.token(1)), T0 - timedelta(seconds=15), "ok", 15
    yield "the last slot", write_token(plain.token(5760)), T0 + DAY + timedelta(seconds=29), "ok", -30
    yield "the last slot, late", write_token(plain.token(5760)), T0 + DAY + timedelta(seconds=30), "code_stale", -45
    for name in ("rich", "short epoch", "twin event"):
        phone = PHONES[name]
        yield name, write_token(phone.token(30)), at(phone, 30), "ok", 0
    short = PHONES["short epoch"]
    yield "the cut last slot", write_token(short.token(31)), at(short, 31), "ok", 0
    yield "paper", PHONES["paper"].paper(), T0, "ok", None
    yield "paper as Base32", base32.encode(PHONES["paper"].capsule), T0, "ok", None
    yield from of_a_replaced_key(plain)
    yield from refused(plain, noon)


def of_a_replaced_key(plain: Phone) -> Iterator[tuple[str, str, datetime, str, int | None]]:
    """Give codes a phone fetched before an emergency replaced its epoch's keys, which count for a while."""
    opened = open_capsule(plain.capsule, EVENT, ENVELOPE, ISSUER.public_key())
    if opened is None:
        raise Internal("A capsule that was just made does not open.")
    capsule = seal(opened, EVENT, REPLACED_ENVELOPE, REPLACED_ISSUER)
    last, over = REPLACED_UNTIL - timedelta(seconds=1), REPLACED_UNTIL
    for name, now, answer, off in [("", last, "ok", 0), (", over", over, "epoch_unknown", None)]:
        token = plain.token(chain.slot_at(T0, 15, now))
        yield f"of a replaced key{name}", write_token(structs.replace(token, capsule=capsule)), now, answer, off
    yield "of a replaced key, over, on paper", write_token(Token(capsule=capsule)), over, "epoch_unknown", None
    beyond = Token(capsule=capsule, slot=5761, value=bytes(16))
    yield "of a replaced key, over, no such slot", write_token(beyond), over, "epoch_unknown", None


def refused(plain: Phone, noon: int) -> Iterator[tuple[str, str, datetime, str, int | None]]:
    """Give what is never admitted."""
    token, now = plain.token(noon), at(plain, noon)
    for name, answer in [
        ("paper not allowed", "static_code_refused"),
        ("allowed but live", "static_code_refused"),
        ("plain", "static_code_refused"),
    ]:
        yield f"{name}, without proof", PHONES[name].paper(), now, answer, None
    yield "paper with a proof", write_token(PHONES["paper"].token(noon)), now, "code_forged", None
    yield "other event", write_token(PHONES["other event"].token(noon)), now, "wrong_event", None
    yield "unknown epoch", write_token(PHONES["unknown epoch"].token(noon)), now, "epoch_unknown", None
    yield "same hint", write_token(PHONES["another twin epoch"].token(noon)), now, "code_forged", None
    for name in ("later version", "later profile", "later demand"):
        yield name, write_token(PHONES[name].token(noon)), now, "code_version", None
    yield "later and longer", base45.encode(b"\x20" + bytes(159)), now, "code_version", None
    yield "slot 0", write_token(structs.replace(token, slot=0)), now, "code_forged", None
    beyond = Token(capsule=plain.capsule, slot=5761, value=token.value)
    yield "a slot beyond the epoch", write_token(beyond), now, "code_forged", None
    yield "a neighbour's slot", write_token(structs.replace(token, slot=noon + 1)), now, "code_forged", None
    for place in (4, 20, 40, 127):
        yield f"byte {place} changed", write_token(changed(token, place)), now, "code_forged", None
    typed = write_wedge_token(token)
    yield (
        "as Base32, a letter that is S in capitals only",
        typed.replace("S", "\u017f", 1),
        now,
        "code_unreadable",
        None,
    )
    yield "as Base32, a bit behind the end", base32_with_a_spare_bit(token), now, "code_unreadable", None
    yield "as Base45, small letters", write_token(token).lower(), now, "code_unreadable", None
    yield "longer than any code", "0" * 1026, now, "code_unreadable", None
    yield "one byte short", base45.encode(pack_token(token)[:-1]), now, "code_unreadable", None
    yield "another system's code", "HTTPS://EXAMPLE.ORG/T/1", now, "code_unreadable", None
    yield "nothing", "", now, "code_unreadable", None


def changed(token: Token, place: int) -> Token:
    """Return a token with one bit of its capsule turned."""
    capsule = bytearray(token.capsule)
    capsule[place] ^= 0x80
    return structs.replace(token, capsule=bytes(capsule))


def base32_with_a_spare_bit(token: Token) -> str:
    """Return a token's text with a one among the zero bits that fill up the last character."""
    text = write_wedge_token(token)
    return text[:-1] + base32.ALPHABET[base32.ALPHABET.index(text[-1]) | 1]


def hyphens(text: str) -> str:
    """Return a text in groups of six."""
    return "-".join(text[start : start + 6] for start in range(0, len(text), 6))


def spell_out(name: str, phone: Phone) -> dict[str, Any]:
    """Return everything that goes into a capsule and a chain."""
    order = phone.order
    handle = derive_handle(MASTER, order.ticket, order.generation)
    first, last = phone.token(1).value or b"", phone.top
    return {
        "name": name,
        **{field: to_builtins(value) for field, value in structs.asdict(order).items() if field != "length"},
        "ends": to_builtins(order.starts + order.length),
        "handle": handle.hex(),
        "handle_hash": hash_handle(handle).hex(),
        "seed": derive_seed(MASTER, order.ticket, order.generation).hex(),
        "context": phone.context.hex(),
        "slots": phone.slots,
        "x_last": last.hex(),
        "x_1": first.hex(),
        "anchor": chain.walk_down(phone.context, first, 1, 0).hex(),
        "capsule": phone.capsule.hex(),
    }


def make_vectors() -> dict[str, Any]:
    """Return the whole file's content."""
    return {
        "about": "keys and bytes in hexadecimal; skew_s is the slot shown minus the reader's own, in seconds",
        "master": MASTER.hex(),
        "envelope_key": ENVELOPE.hex(),
        "issuer_private": ISSUER.private_bytes_raw().hex(),
        "epochs": [
            to_builtins(key) | {"envelope_key": key.envelope_key.hex(), "issuer": key.issuer.hex()} for key in EPOCHS
        ],
        "capsules": [spell_out(name, phone) for name, phone in PHONES.items()],
        "codes": [
            {"name": name, "text": text, "now": to_builtins(now), "answer": answer, "skew_s": skew_s}
            for name, text, now, answer, skew_s in texts()
        ],
    }


def main() -> None:
    """Write the file."""
    TARGET.write_text(json.dumps(make_vectors(), indent=1) + "\n")
    sys.stdout.write(f"{TARGET}: {len(PHONES)} capsules\n")


if __name__ == "__main__":
    main()
