"""Two readers that share nothing but the page they were written from give every text the same answer."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
from msgspec import structs

from shared.codes import base32, base45
from shared.codes.capsule import CodePolicy, Profile, open_capsule, seal
from shared.codes.reader import CodeRead, CodeReader, EpochKey
from shared.codes.token import Token, pack_token, write_token, write_wedge_token
from tests.property.test_code_laws import mutate
from tests.unit.shared.samples import ENVELOPE, EVENT, ISSUER, T0, Order, epoch_key, issue, secret
from tests.vectors.independent import Answer, Epoch, read_code

LENGTH = timedelta(minutes=10)
SLOTS = 40
KEYS = [
    structs.replace(epoch_key(), ends=T0 + LENGTH),
    structs.replace(
        epoch_key(), ends=T0 + LENGTH, envelope_key=secret("earlier"), until=T0 + timedelta(minutes=5, seconds=7)
    ),
    epoch_key(Order(epoch=1, starts=T0 + LENGTH, length=LENGTH, slot_s=60)),
]
EPOCHS = [
    Epoch(key.event, key.epoch, key.starts, key.ends, key.slot_s, key.envelope_key, key.issuer, key.until)
    for key in KEYS
]
PHONE, NEXT = issue(length=LENGTH), issue(epoch=1, starts=T0 + LENGTH, length=LENGTH, slot_s=60)
PAPER = issue(length=LENGTH, profile=Profile.STATIC, policy=CodePolicy.STATIC_ALLOWED)
ROUNDS = 5000


def ask_project(text: str, now: datetime, keys: list[EpochKey]) -> Answer:
    """Return the project's answer in the other one's words."""
    read = CodeReader(keys).read(text, now)
    if isinstance(read, CodeRead):
        skew_s = None if read.skew_slots is None else read.skew_slots * read.key.slot_s
        return Answer("ok", skew_s, read.capsule.claims.handle)
    return Answer(read.reason.value, read.skew_s)


def agree(text: str, now: datetime) -> str:
    """Fail unless both give the same answer, and return it."""
    theirs, ours = read_code(text, now, EPOCHS), ask_project(text, now, KEYS)
    assert (ours.reason, ours.skew_s) == (theirs.reason, theirs.skew_s), repr(text)
    assert ours.reason != "ok" or ours.handle == theirs.handle
    return ours.reason


def some_text(dice: random.Random) -> str:
    """Return a code of some slot, live or on paper, in either alphabet, or bytes that look like one."""
    token = PHONE.token(dice.randint(1, SLOTS))
    match dice.randrange(6):
        case 0:
            return write_wedge_token(token)
        case 1:
            return PAPER.paper()
        case 2:
            return write_token(NEXT.token(dice.randint(1, 10)))
        case 3:
            return write_token(structs.replace(token, slot=dice.randrange(0x1_0000)))
        case 4:
            data = bytearray(pack_token(Token(capsule=token.capsule) if dice.random() < 0.3 else token))
            data[dice.randrange(len(data))] = dice.randrange(256)
            return base45.encode(bytes(data)) if dice.random() < 0.5 else base32.encode(bytes(data))
        case _:
            return write_token(token)


@pytest.mark.parametrize("damaged", [False, True])
def test_both_readers_answer_every_text_alike(*, damaged: bool) -> None:
    dice = random.Random(f"two readers {damaged}")  # noqa: S311 - repeatable noise, not a secret
    seen = set()
    for _ in range(ROUNDS):
        text = some_text(dice)
        now = T0 + timedelta(seconds=dice.uniform(-120, 1320))
        seen.add(agree(mutate(text, dice) if damaged else text, now))
    usual = {"code_forged", "wrong_event", "code_version"}
    assert seen >= usual | ({"code_unreadable"} if damaged else {"ok", "code_stale", "code_future", "epoch_unknown"})


@pytest.mark.parametrize("letter", ["\u017f", "\u0131", "\uff11", "\u0661", "\u212a", "\u2170"])
def test_letters_that_only_look_like_one_of_the_alphabet_are_read_by_neither(letter: str) -> None:
    good = write_wedge_token(PHONE.token(20))
    for place in (0, 100, len(good) - 1):
        assert agree(good[:place] + letter + good[place + 1 :], T0 + LENGTH / 2) == "code_unreadable"


def test_a_replaced_key_ends_for_both_at_the_same_moment() -> None:
    until = KEYS[1].until
    opened = open_capsule(PHONE.capsule, EVENT, ENVELOPE, ISSUER.public_key())
    assert until is not None
    assert opened is not None
    capsule = seal(opened, EVENT, secret("earlier"), ISSUER)
    text = write_token(structs.replace(PHONE.token(21), capsule=capsule))
    moments = [until - timedelta(microseconds=1), until, until + timedelta(microseconds=1)]
    assert [agree(text, moment) for moment in moments] == ["ok", "epoch_unknown", "epoch_unknown"]
