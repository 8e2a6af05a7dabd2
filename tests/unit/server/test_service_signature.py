"""Signed calls: the reference's code and its worked example agree with the server, and no two calls read the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from server.domain.service_call import SignedCall, is_caller_name, is_in_time, read_headers, sign, write_signed
from shared.ids import TenantId

REFERENCE = (Path(__file__).parents[3] / "docs" / "reference" / "service-calls.md").read_text(encoding="utf-8")
CALL = SignedCall(
    audience="tickettoken",
    caller="orders",
    time_s=1781978400,
    nonce="3f2a9c51d07b4e68",
    tenant=TenantId(UUID(int=1)),
    method="GET",
    target="/internal/tickets/1?x=1",
    body_hash=bytes(32),
)


def example() -> dict[str, str]:
    """Return the worked example's fields."""
    return dict(re.findall(r"^\| (\w+) \| `(.*)` \|$", REFERENCE.partition("## A worked example")[2], re.MULTILINE))


def test_the_worked_example_is_what_the_server_computes() -> None:
    known = example()
    call = SignedCall(
        audience=known["audience"],
        caller=known["caller"],
        time_s=int(known["time"]),
        nonce=known["nonce"],
        tenant=TenantId(UUID(known["tenant"])),
        method=known["method"],
        target=known["target"],
        body_hash=hashlib.sha256(known["body"].encode()).digest(),
    )
    assert sign(known["secret"].encode(), call).hex() == known["signature"]


def test_the_references_code_signs_as_the_server_does() -> None:
    found = re.search(r"```python\n(.*?)```", REFERENCE, re.DOTALL)
    assert found is not None
    names: dict[str, Callable[..., dict[str, str]]] = {}
    exec(found[1], names)  # noqa: S102 - the code people copy from our own page is what is tested here
    known = example()
    headers = names["sign_call"](
        known["secret"],
        audience=known["audience"],
        caller=known["caller"],
        time_s=int(known["time"]),
        nonce=known["nonce"],
        tenant=known["tenant"],
        method=known["method"],
        target=known["target"],
        body=known["body"].encode(),
    )
    assert headers["X-TT-Signature"] == known["signature"]
    read = read_headers(headers["X-TT-Caller"], headers["X-TT-Time"], headers["X-TT-Nonce"], headers["X-TT-Signature"])
    assert read is not None
    assert read.signature.hex() == known["signature"]


@given(name=st.sampled_from(sorted(asdict(CALL))), text=st.text(max_size=20), number=st.integers(0, 2**30))
def test_every_field_is_covered(name: str, text: str, number: int) -> None:
    was = getattr(CALL, name)
    value: object = number if name == "time_s" else TenantId(UUID(int=number)) if name == "tenant" else text
    value = hashlib.sha256(text.encode()).digest() if name == "body_hash" else value
    assert (write_signed(replace(CALL, **{name: value})) == write_signed(CALL)) == (value == was)


@pytest.mark.parametrize(
    "changes",
    [
        {"caller": "Orders"},
        {"caller": "o"},
        {"caller": "orders\n"},
        {"caller": "9orders"},
        {"time": "-1"},
        {"time": "1e9"},
        {"time": "１２３"},
        {"time": ""},
        {"nonce": "x" * 15},
        {"nonce": "x" * 65},
        {"nonce": "x" * 20 + "\n"},
        {"nonce": "x y" * 10},
        {"signature": "0" * 63},
        {"signature": "A" * 64},
        {"signature": "g" * 64},
    ],
)
def test_headers_of_another_form_are_none(changes: dict[str, str]) -> None:
    good = {"caller": "orders", "time": "1781978400", "nonce": "3f2a9c51d07b4e68", "signature": "0" * 64}
    assert read_headers(**good) is not None
    assert read_headers(**good | changes) is None


def test_a_call_counts_for_five_minutes_either_way() -> None:
    for off_s, counts in ((0, True), (300, True), (-300, True), (301, False), (-301, False)):
        assert is_in_time(CALL, datetime.fromtimestamp(CALL.time_s + off_s, UTC)) is counts


def test_names_of_callers_are_plain() -> None:
    assert [name for name in ("orders", "a1", "pay-2", "a", "A1", "-a", "a_b", "") if is_caller_name(name)] == [
        "orders",
        "a1",
        "pay-2",
    ]
