"""Reading codes: what counts, what does not, and how each is called."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from msgspec import structs

from shared.admission.verdict import Reason
from shared.codes import base45, chain
from shared.codes.capsule import CodePolicy, Profile, event_hint
from shared.codes.reader import CodeRead, CodeReader, CodeRefused, EpochKey, Proof
from shared.codes.token import Token, write_token, write_wedge_token
from shared.ids import EventId
from tests.unit.shared.samples import EVENT, NOW, T0, Order, epoch_key, issue, secret

PHONE = issue()
SLOT = timedelta(seconds=15)


def read(text: str, now: datetime = NOW, keys: list[EpochKey] | None = None) -> CodeRead | CodeRefused:
    """Read with a reader that has seen nothing before."""
    return CodeReader([epoch_key()] if keys is None else keys).read(text, now)


def refusal(text: str, now: datetime = NOW, keys: list[EpochKey] | None = None) -> Reason:
    """Return why a text is refused."""
    result = read(text, now, keys)
    assert isinstance(result, CodeRefused), result
    return result.reason


def twin_event(hint: int, start: int = 1) -> EventId:
    """Return another event with the same hint."""
    return next(EventId(UUID(int=n)) for n in range(start, start + 10_000) if event_hint(UUID(int=n)) == hint)


@pytest.mark.parametrize("write", [write_token, write_wedge_token])
def test_a_live_code_is_read_in_either_text(write: Callable[[Token], str]) -> None:
    slot = chain.slot_at(T0, 15, NOW)
    token = PHONE.token(slot)
    result = read(write(token))
    assert isinstance(result, CodeRead)
    assert result.proof == Proof(epoch=0, slot=slot, value=token.value or b"")
    assert (result.skew_slots, result.capsule.claims.product, result.key) == (0, 3, epoch_key())


@pytest.mark.parametrize("behind", [-1, 0, 1, 2])
def test_codes_from_one_slot_ahead_to_two_behind_count(behind: int) -> None:
    result = read(PHONE.show(NOW - behind * SLOT))
    assert isinstance(result, CodeRead)
    assert result.skew_slots == -behind


@pytest.mark.parametrize(
    ("behind", "reason"), [(3, Reason.CODE_STALE), (-2, Reason.CODE_FUTURE), (240, Reason.CODE_STALE)]
)
def test_a_genuine_code_of_another_time_names_its_ticket_and_skew(behind: int, reason: Reason) -> None:
    result = read(PHONE.show(NOW - behind * SLOT))
    assert isinstance(result, CodeRefused)
    assert (result.reason, result.skew_s, result.event) == (reason, -behind * 15, EVENT)
    assert result.capsule is not None


def test_the_last_code_of_an_epoch_counts_just_after_its_end() -> None:
    end = T0 + timedelta(hours=24)
    assert isinstance(read(PHONE.show(end - SLOT), end + SLOT), CodeRead)
    assert refusal(PHONE.show(end - SLOT), end + 2 * SLOT) is Reason.CODE_STALE


def test_the_first_code_of_an_epoch_counts_just_before_its_start() -> None:
    assert isinstance(read(PHONE.show(T0), T0 - SLOT), CodeRead)
    assert refusal(PHONE.show(T0), T0 - 2 * SLOT) is Reason.CODE_FUTURE


def test_the_anchor_itself_is_never_a_code() -> None:
    first = PHONE.token(1).value or b""
    anchor = chain.walk_down(PHONE.context, first, 1, 0)
    assert refusal(write_token(Token(capsule=PHONE.capsule, slot=0, value=anchor)), T0) is Reason.CODE_FORGED


def test_a_value_shown_under_another_slot_is_forged() -> None:
    slot = chain.slot_at(T0, 15, NOW)
    earlier = structs.replace(PHONE.token(slot - 1), slot=slot)
    assert refusal(write_token(earlier)) is Reason.CODE_FORGED


def test_a_code_of_another_ticket_is_not_lent_a_capsule() -> None:
    slot = chain.slot_at(T0, 15, NOW)
    other = issue(generation=2).token(slot)
    assert refusal(write_token(structs.replace(other, capsule=PHONE.capsule))) is Reason.CODE_FORGED


def test_a_live_code_without_its_proof_is_a_static_code_refused() -> None:
    result = read(PHONE.paper())
    assert isinstance(result, CodeRefused)
    assert (result.reason, result.event) == (Reason.STATIC_CODE_REFUSED, EVENT)
    assert result.capsule is not None


def test_paper_counts_where_header_and_signed_policy_both_allow_it() -> None:
    result = read(issue(profile=Profile.STATIC, policy=CodePolicy.STATIC_ALLOWED).paper())
    assert isinstance(result, CodeRead)
    assert (result.proof, result.skew_slots) == (None, None)
    assert refusal(issue(profile=Profile.STATIC).paper()) is Reason.STATIC_CODE_REFUSED
    assert refusal(issue(policy=CodePolicy.STATIC_ALLOWED).paper()) is Reason.STATIC_CODE_REFUSED


def test_a_static_capsule_with_a_slot_is_forged() -> None:
    phone = issue(profile=Profile.STATIC, policy=CodePolicy.STATIC_ALLOWED)
    assert refusal(phone.show(NOW)) is Reason.CODE_FORGED


@pytest.mark.parametrize("change", [{"version": 2}, {"version": 0}, {"profile": 2}, {"policy": 0x80}])
def test_unknown_versions_profiles_and_demands_ask_for_an_update(change: dict[str, int]) -> None:
    assert refusal(issue(**change).show(NOW)) is Reason.CODE_VERSION


def test_a_longer_token_of_a_later_version_asks_for_an_update() -> None:
    assert refusal(base45.encode(bytes([0x20]) + bytes(199))) is Reason.CODE_VERSION


def test_an_odd_length_of_this_version_is_unreadable() -> None:
    assert refusal(base45.encode(PHONE.capsule + b"x")) is Reason.CODE_UNREADABLE


def test_an_event_of_another_hint_is_the_wrong_event() -> None:
    stranger = issue(event=twin_event(event_hint(EVENT) ^ 1))
    assert refusal(stranger.show(NOW)) is Reason.WRONG_EVENT
    assert refusal(PHONE.show(NOW), keys=[]) is Reason.WRONG_EVENT


def test_an_event_with_the_same_hint_does_not_open() -> None:
    stranger = issue(event=twin_event(event_hint(EVENT)))
    assert refusal(stranger.show(NOW)) is Reason.CODE_FORGED


def test_two_events_with_one_hint_are_both_served() -> None:
    twin = Order(event=twin_event(event_hint(EVENT)))
    reader = CodeReader([epoch_key(twin), epoch_key()])
    mine, other = reader.read(PHONE.show(NOW), NOW), reader.read(issue(event=twin.event).show(NOW), NOW)
    assert isinstance(mine, CodeRead)
    assert isinstance(other, CodeRead)
    assert (mine.key.event, other.key.event) == (EVENT, twin.event)


def test_an_epoch_without_keys_is_unknown_not_forged() -> None:
    assert refusal(issue(epoch=7).show(NOW)) is Reason.EPOCH_UNKNOWN


def test_a_capsule_under_another_issuers_name_is_forged() -> None:
    stolen = structs.replace(epoch_key(), issuer=secret("another issuer"))
    assert refusal(PHONE.show(NOW), keys=[stolen]) is Reason.CODE_FORGED


RUBBISH = {
    "nothing": "",
    "a space": " ",
    "line ends": "\r\n",
    "an address": "https://example.org/t/1",
    "pictures": "\U0001f3ab" * 80,
    "half a character": "\ud800",
    "bytes that are no text": b"\xff\xfe".decode("utf-8", "surrogateescape"),
    "zero characters": "\x00" * 219,
    "ten million digits": "0" * 10_000_000,
    "a token's length of letters": "A" * 219,
    "groups too high": ":" * 219,
    "a Base32 capsule of zeros": "0" * 205,
    "a short code of another system": base45.encode(bytes(100)),
}


@pytest.mark.parametrize("text", RUBBISH.values(), ids=RUBBISH)
def test_anything_else_is_refused_and_never_raises(text: str) -> None:
    assert refusal(text) in {Reason.CODE_UNREADABLE, Reason.CODE_VERSION}


def test_what_was_read_prints_no_proof() -> None:
    result = read(PHONE.show(NOW))
    assert isinstance(result, CodeRead)
    assert result.proof is not None
    assert result.proof.value.hex() not in repr(result)
    assert str(result.proof.value) not in repr(result)
    assert repr(result.key) == f"EpochKey(event={EVENT}, epoch=0)"
