"""Which server addresses a gate takes."""

from __future__ import annotations

import pytest

from gate.sync.address import check_address
from shared.problems import InputUnusable


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("https://tickets.example.org", "https://tickets.example.org"),
        (" https://tickets.example.org:8443/base/ ", "https://tickets.example.org:8443/base"),
        ("http://localhost:3004", "http://localhost:3004"),
        ("http://127.0.0.1:3004/", "http://127.0.0.1:3004"),
        ("http://[::1]:3004", "http://[::1]:3004"),
    ],
)
def test_address_is_taken_without_its_last_slash(given: str, taken: str) -> None:
    assert check_address(given, allow_http=False) == taken


@pytest.mark.parametrize(
    "given",
    [
        "",
        "tickets.example.org",
        "ftp://tickets.example.org",
        "https://",
        "https://tickets.example.org:port",
        "https://user:secret@tickets.example.org",
        "https://tickets.example.org/?a=b",
        "http://tickets.example.org",
        "http://127.0.0.1.example.org",
        "http://10.0.0.5",
    ],
)
def test_unusable_or_unprotected_address_is_refused_without_its_secret(given: str) -> None:
    with pytest.raises(InputUnusable) as caught:
        check_address(given, allow_http=False)
    assert "secret" not in str(caught.value)


def test_closed_test_network_may_do_without_tls() -> None:
    assert check_address("http://10.0.0.5", allow_http=True) == "http://10.0.0.5"
