"""The table of limits, and by which address somebody is counted."""

from __future__ import annotations

import pytest

from server.api.address import find_address
from server.domain.limits import DEFAULT_QUOTAS, NO_QUOTAS, LimitClass, Quota, parse_quotas
from server.services.limits import hash_address
from server.settings_access import parse_networks
from shared.problems import SettingsInvalid

PROXIES = parse_networks("10.0.0.0/8, 2001:db8:1::/48,127.0.0.1")


def test_every_class_has_its_row() -> None:
    assert set(DEFAULT_QUOTAS) == set(NO_QUOTAS) == set(LimitClass)
    assert {kind for kind, quota in DEFAULT_QUOTAS.items() if quota is None} == {LimitClass.FREE}


def test_a_lane_at_its_busiest_is_within_its_limit() -> None:
    for kind in (LimitClass.SCAN, LimitClass.GATE, LimitClass.UPLOAD):
        quota = DEFAULT_QUOTAS[kind]
        assert quota is not None
        assert quota.calls * 60 / quota.seconds >= 4 * 60


def test_settings_change_single_rows() -> None:
    table = parse_quotas(" read=600/30, write=off,scan=90,")
    assert (table[LimitClass.READ], table[LimitClass.WRITE]) == (Quota(calls=600, seconds=30), None)
    assert table[LimitClass.SCAN] == Quota(calls=90, seconds=60)
    assert table[LimitClass.ENROL] == DEFAULT_QUOTAS[LimitClass.ENROL]
    assert parse_quotas("") == DEFAULT_QUOTAS
    assert parse_quotas("off") == NO_QUOTAS


@pytest.mark.parametrize(
    "text", ["read", "read=", "read=x", "read=0", "read=5/0", "read=5/x", "free=3", "all=3", "read=5/90000"]
)
def test_rows_that_make_no_limit_are_named(text: str) -> None:
    with pytest.raises(SettingsInvalid, match="RATE_LIMITS"):
        parse_quotas(text)


@pytest.mark.parametrize(
    ("remote", "forwarded", "found"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.5", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.5", "198.51.100.7, 10.1.1.1", "198.51.100.7"),
        ("10.0.0.5", "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", "somebody", "10.0.0.5"),
        ("10.0.0.5", "198.51.100.7, ", "10.0.0.5"),
        ("2001:db8:1::1", "2001:db8:2::7", "2001:db8:2::7"),
        ("127.0.0.1", "1.2.3.4," * 50 + "198.51.100.7", "198.51.100.7"),
        ("", "198.51.100.7", ""),
    ],
)
def test_the_nearest_address_that_is_no_proxy_of_ours_counts(remote: str, forwarded: str, found: str) -> None:
    assert find_address(remote, forwarded, PROXIES) == found


def test_counting_names_hold_no_address() -> None:
    assert "192.0.2.1" not in hash_address("192.0.2.1")
    assert hash_address("192.0.2.1") != hash_address("192.0.2.2")
    assert hash_address("::ffff:192.0.2.1") == hash_address("192.0.2.1")
    assert hash_address("2001:db8::1") == hash_address("2001:db8::ffff")
    assert hash_address("2001:db8::1") != hash_address("2001:db8:0:1::1")
    assert hash_address("somewhere") == "unknown"


def test_networks_are_read_or_refused() -> None:
    assert parse_networks("") == ()
    with pytest.raises(SettingsInvalid, match="TRUSTED_PROXIES"):
        parse_networks("10.0.0.0/8,everywhere")
