"""When two requests are the same request."""

from __future__ import annotations

import msgspec
import pytest

from server.domain.calls import hash_request, is_usable_key
from server.services.purchase import PurchaseRequest
from server.services.transfer import TransferRequest


def read(text: str) -> PurchaseRequest:
    """Parse a request as the server does."""
    return msgspec.json.decode(text, type=PurchaseRequest)


ID = "0197a8c0-0000-7000-8000-000000000001"


def test_spacing_and_order_of_fields_make_no_difference() -> None:
    plain = read(f'{{"reservationId":"{ID}","paymentId":"p"}}')
    odd = read(f'{{ "paymentId" : "\\u0070",\n "reservationId": "{ID.upper()}" }}')
    assert hash_request(plain) == hash_request(odd)


def test_every_field_makes_a_difference() -> None:
    plain = TransferRequest(recipient_email="ada@example.org", message="x")
    assert hash_request(plain) != hash_request(TransferRequest(recipient_email="ada@example.org", message="y"))
    assert hash_request(plain) != hash_request(TransferRequest(recipient_email="adb@example.org", message="x"))
    assert hash_request((ID, plain)) != hash_request((ID[:-1] + "2", plain))


@pytest.mark.parametrize("key", ["x" * 16, "x" * 64, "A-b_c.d:0123456789"])
def test_plain_keys_of_sixteen_to_sixty_four_are_usable(key: str) -> None:
    assert is_usable_key(key)


@pytest.mark.parametrize("key", ["", "x" * 15, "x" * 65, "sixteen letters ", "x" * 16 + "\n", "ｘ" * 16])
def test_other_keys_are_not(key: str) -> None:
    assert not is_usable_key(key)
