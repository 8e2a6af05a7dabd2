"""The settings that say who may call: every fault named, nothing secret shown, nothing half believed."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.api.routes import Auth, Route
from server.auth.public_tokens import FetchedKeys, FixedKeys
from server.domain.limits import DEFAULT_QUOTAS, LimitClass
from server.domain.token_rules import TokenAlgorithm
from server.settings import EmbeddedSettings, read_settings
from server.settings_access import choose_keys, plan_access
from shared.clock import SystemClock
from shared.problems import SettingsInvalid
from shared.settings import load_settings
from tests.unit.server.test_routes import answer
from tests.unit.server.test_settings import GOOD

PEM = (
    Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
WITHOUT_SECRET = {name: value for name, value in GOOD.items() if name != "JWT_SECRET"}


def test_the_careful_ones_are_the_defaults() -> None:
    for settings in (read_settings(GOOD), load_settings(EmbeddedSettings, {})):
        plan = plan_access(settings)
        assert (plan.rules.algorithm, plan.rules.issuer, plan.rules.audience) == ("HS256", "tickettoken", "tickettoken")
        assert (plan.service_secret, plan.proxies, plan.quotas) == (None, (), DEFAULT_QUOTAS)
        assert choose_keys(plan, SystemClock()) is None


def test_tokens_made_elsewhere_need_a_key_and_no_secret() -> None:
    fixed = read_settings(WITHOUT_SECRET | {"JWT_ALGORITHM": "EdDSA", "JWT_PUBLIC_KEY": PEM})
    assert isinstance(choose_keys(plan_access(fixed), SystemClock()), FixedKeys)
    address = {
        "JWT_ALGORITHM": "RS256",
        "JWT_JWKS_URL": "https://issuer.example/keys",
        "JWT_ISSUER": "https://issuer.example",
    }
    fetched = read_settings(WITHOUT_SECRET | address)
    assert isinstance(choose_keys(plan_access(fetched), SystemClock()), FetchedKeys)
    assert plan_access(fetched).rules.issuer == "https://issuer.example"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"JWT_ALGORITHM": "none"}, "JWT_ALGORITHM"),
        ({"JWT_ALGORITHM": "HS512"}, "JWT_ALGORITHM"),
        ({"JWT_ALGORITHM": "EdDSA"}, "JWT_PUBLIC_KEY"),
        ({"JWT_ALGORITHM": "RS256", "JWT_PUBLIC_KEY": PEM}, "JWT_PUBLIC_KEY"),
        ({"JWT_ALGORITHM": "EdDSA", "JWT_PUBLIC_KEY": PEM, "JWT_JWKS": "{}"}, "needs one of"),
        ({"JWT_ALGORITHM": "EdDSA", "JWT_JWKS": '{"keys":[]}'}, "Key Set"),
        ({"JWT_ALGORITHM": "EdDSA", "JWT_JWKS_URL": "http://issuer.example/keys"}, "JWT_JWKS_URL"),
        ({"JWT_PUBLIC_KEY": PEM}, "HS256"),
        ({"JWT_SECRET": ""}, "JWT_SECRET"),
        ({"INTERNAL_SERVICE_SECRET": "secret"}, "INTERNAL_SERVICE_SECRET"),
        ({"INTERNAL_SERVICE_SECRET": "ab" * 20}, "INTERNAL_SERVICE_SECRET"),
        ({"RATE_LIMITS": "read=many"}, "RATE_LIMITS"),
        ({"TRUSTED_PROXIES": "everybody"}, "TRUSTED_PROXIES"),
    ],
)
def test_faults_stop_the_start_and_are_named(changes: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsInvalid, match=named) as caught:
        read_settings(GOOD | changes)
    for name in ("JWT_SECRET", "INTERNAL_SERVICE_SECRET"):
        secret = (GOOD | changes).get(name)
        assert not secret or f" {secret}" not in str(caught.value)


def test_several_faults_are_named_together() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        read_settings(GOOD | {"RATE_LIMITS": "x", "TRUSTED_PROXIES": "y", "INTERNAL_SERVICE_SECRET": "z"})
    for name in ("RATE_LIMITS", "TRUSTED_PROXIES", "INTERNAL_SERVICE_SECRET"):
        assert name in str(caught.value)
    plan = plan_access(read_settings(GOOD | {"INTERNAL_SERVICE_SECRET": "4f8a1c0e9b7d2635a8c4e1f0b9d73625"}))
    assert "4f8a" not in repr(plan)
    assert plan.rules.algorithm is TokenAlgorithm.HS256


@pytest.mark.parametrize(
    ("auth", "method", "limit"),
    [
        (Auth.PUBLIC, "GET", LimitClass.FREE),
        (Auth.USER, "GET", LimitClass.READ),
        (Auth.USER, "DELETE", LimitClass.WRITE),
        (Auth.SCANNER, "GET", LimitClass.READ),
        (Auth.SCANNER, "POST", LimitClass.WRITE),
        (Auth.GATE, "POST", LimitClass.GATE),
        (Auth.SERVICE, "POST", LimitClass.SERVICE),
    ],
)
def test_every_route_is_counted_in_some_class(auth: Auth, method: str, limit: LimitClass) -> None:
    route = Route(method=method, path="/x", handler=answer, auth=auth)
    assert route.counted_as is limit
    named = Route(method=method, path="/x", handler=answer, auth=auth, limit=LimitClass.CODES)
    assert named.counted_as is LimitClass.CODES
