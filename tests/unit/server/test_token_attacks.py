"""Tokens of every algorithm the settings allow, and everything people try with them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.auth.claims import LONGEST_TOKEN, TokenInvalid, VerifyKey, read_user
from server.auth.key_set import NamedKey, choose_key, read_key_set, read_pem
from server.auth.public_tokens import FixedKeys, PublicTokens
from server.auth.user_token import UserTokens
from server.domain.access import Role, Scope, User
from server.domain.token_rules import TokenAlgorithm, TokenRules
from shared.clock import ManualClock
from shared.ids import TenantId, UserId
from shared.problems import SettingsInvalid
from shared.settings import Secret

NOW = datetime(2026, 6, 20, 12, 0, tzinfo=UTC)
SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"
ED_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RSA_KEY = generate_private_key(public_exponent=65537, key_size=2048)

_Signer = str | Ed25519PrivateKey | RSAPrivateKey
KEYS: dict[TokenAlgorithm, tuple[_Signer, VerifyKey]] = {
    TokenAlgorithm.HS256: (SECRET, SECRET),
    TokenAlgorithm.EDDSA: (ED_KEY, ED_KEY.public_key()),
    TokenAlgorithm.RS256: (RSA_KEY, RSA_KEY.public_key()),
}


def claims(**changes: object) -> dict[str, object]:
    """Return good claims with changes; None takes a claim away."""
    good: dict[str, object] = {
        "sub": str(UUID(int=2)),
        "tenant_id": str(UUID(int=1)),
        "role": "admin",
        "iss": "tickettoken",
        "aud": "tickettoken",
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + timedelta(hours=1)).timestamp()),
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def encode(part: object) -> str:
    """Return a part of a token as it travels; text as it is."""
    data = part if isinstance(part, bytes) else part.encode() if isinstance(part, str) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def hand_made(header: object, body: object, key: bytes = SECRET.encode()) -> str:
    """Return a token put together by hand, signed with HMAC-SHA256 whatever its header says."""
    signed = f"{encode(header)}.{encode(body)}"
    return f"{signed}.{encode(hmac.digest(key, signed.encode(), hashlib.sha256))}"


def read(token: str, algorithm: TokenAlgorithm = TokenAlgorithm.HS256) -> User:
    """Read a token as the server does."""
    return read_user(token, KEYS[algorithm][1], TokenRules(algorithm=algorithm), NOW)


@pytest.mark.parametrize("algorithm", TokenAlgorithm)
def test_a_good_token_tells_who(algorithm: TokenAlgorithm) -> None:
    token = jwt.encode(claims(), KEYS[algorithm][0], algorithm=algorithm)
    assert read(token, algorithm) == User(tenant=TenantId(UUID(int=1)), user=UserId(UUID(int=2)), role=Role.ADMIN)


@pytest.mark.parametrize("algorithm", TokenAlgorithm)
@pytest.mark.parametrize("other", TokenAlgorithm)
def test_the_settings_choose_the_algorithm_and_no_token(algorithm: TokenAlgorithm, other: TokenAlgorithm) -> None:
    token = jwt.encode(claims(), KEYS[other][0], algorithm=other)
    if other is algorithm:
        assert read(token, algorithm).role is Role.ADMIN
        return
    with pytest.raises(TokenInvalid):
        read(token, algorithm)


def test_a_public_key_is_no_secret() -> None:
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    raw = ED_KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    for key, algorithm in ((pem, TokenAlgorithm.RS256), (raw, TokenAlgorithm.EDDSA)):
        for alg in ("HS256", algorithm.value):
            with pytest.raises(TokenInvalid):
                read(hand_made({"alg": alg, "typ": "JWT"}, claims(), key), algorithm)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", "hs256", "HS384", "HS512", None, 7, ["HS256"]])
def test_no_other_algorithm_counts(alg: object) -> None:
    header = {"alg": alg, "typ": "JWT"}
    for token in (f"{encode(header)}.{encode(claims())}.", hand_made(header, claims())):
        with pytest.raises(TokenInvalid):
            read(token)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": int((NOW - timedelta(seconds=10)).timestamp())},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": -1},
        {"exp": 10**30},
        {"nbf": int((NOW + timedelta(seconds=11)).timestamp())},
        {"iat": int((NOW + timedelta(seconds=11)).timestamp())},
        {"iss": "tickettoken "},
        {"iss": None},
        {"iss": ["tickettoken"]},
        {"aud": "tickettoken-gate"},
        {"aud": []},
        {"aud": None},
        {"aud": {"tickettoken": 1}},
        {"sub": None},
        {"sub": "ada"},
        {"tenant_id": None},
        {"tenant_id": ""},
        {"role": None},
        {"role": "owner"},
        {"role": "ADMIN"},
        {"scopes": 5},
        {"scopes": ["x"] * 101},
        {"email_verified": "yes"},
    ],
)
def test_claims_that_do_not_fit_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(TokenInvalid):
        read(hand_made({"alg": "HS256"}, claims(**changes)))


def test_a_little_difference_between_clocks_is_forgiven() -> None:
    near = {"exp": (NOW - timedelta(seconds=9.5)).timestamp(), "nbf": int((NOW + timedelta(seconds=10)).timestamp())}
    assert read(hand_made({"alg": "HS256"}, claims(**near))).role is Role.ADMIN
    assert read(hand_made({"alg": "HS256"}, claims(aud=["else", "tickettoken"]))).role is Role.ADMIN


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "ä.ö.ü",
        "x" * (LONGEST_TOKEN + 1),
        hand_made({"alg": "HS256"}, claims(padding="x" * LONGEST_TOKEN)),
        hand_made({"alg": "HS256", "crit": ["b64"], "b64": False}, claims()),
        hand_made({"alg": "HS256", "typ": "gate"}, claims()),
        hand_made({"alg": "HS256", "kid": ["a"]}, claims()),
        hand_made('{"alg":"HS256","alg":"none"}', claims()),
        hand_made('{"alg":"none","alg":"HS256"}', claims()),
        hand_made({"alg": "HS256"}, json.dumps(claims())[:-1] + ',"role":"admin"}'),
        hand_made({"alg": "HS256"}, '{"role":"customer",' + json.dumps(claims())[1:]),
        hand_made({"alg": "HS256"}, b"\xff\xfe" + json.dumps(claims()).encode()),
        hand_made({"alg": "HS256"}, json.dumps(claims()).replace('"exp": ', '"exp": NaN, "x": ')),
        hand_made({"alg": "HS256"}, "[" * 2000),
        hand_made({"alg": "HS256"}, "null"),
        hand_made({"alg": "HS256"}, claims()) + ".x",
        hand_made({"alg": "HS256"}, claims())[:-2],
        hand_made({"alg": "HS256"}, claims(), b"another key, which is as long as the good one is, or longer still"),
        " " + hand_made({"alg": "HS256"}, claims()),
    ],
)
def test_tokens_of_another_form_are_refused(token: str) -> None:
    with pytest.raises(TokenInvalid):
        read(token)


def test_scopes_of_a_token_narrow_its_role_and_never_widen_it() -> None:
    def scopes(role: str, stated: object) -> frozenset[Scope]:
        return read(hand_made({"alg": "HS256"}, claims(role=role, scopes=stated))).scopes

    assert scopes("admin", ["scans:read", "made:up"]) == {Scope.SCANS_READ}
    assert scopes("admin", "scans:read gates:read") == {Scope.SCANS_READ, Scope.GATES_READ}
    assert scopes("customer", ["gates:manage", "tickets:own"]) == {Scope.TICKETS_OWN}
    assert scopes("customer", []) == frozenset()
    assert Scope.ACCESS_MANAGE in scopes("admin", None)


def test_a_narrowed_user_comes_back_narrowed() -> None:
    tokens = UserTokens(Secret(SECRET), ManualClock(NOW))
    clerk = User(
        tenant=TenantId(UUID(int=1)), user=UserId(UUID(int=2)), role=Role.ADMIN, granted=frozenset({Scope.SCANS_READ})
    )
    assert tokens.verify(tokens.make(clerk)) == clerk


def test_without_the_secret_no_token_is_made() -> None:
    user = read(hand_made({"alg": "HS256"}, claims()))
    for tokens in (
        UserTokens(None, ManualClock(NOW)),
        UserTokens(Secret(SECRET), ManualClock(NOW), TokenRules(algorithm=TokenAlgorithm.EDDSA)),
    ):
        with pytest.raises(SettingsInvalid, match="JWT_ISSUER"):
            tokens.make(user)


def jwk(key: Ed25519PrivateKey | RSAPrivateKey, **more: object) -> dict[str, object]:
    """Return a key's public half as a JSON Web Key."""
    if isinstance(key, Ed25519PrivateKey):
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": encode(raw)} | more
    numbers = key.public_key().public_numbers()
    modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)
    return {"kty": "RSA", "n": encode(modulus), "e": encode(numbers.e.to_bytes(3))} | more


def key_set(*keys: dict[str, object]) -> bytes:
    """Return a key set."""
    return json.dumps({"keys": keys}).encode()


def test_only_keys_that_fit_the_algorithm_are_in_the_choice() -> None:
    weak = generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - it must not be taken
    data = key_set(
        jwk(ED_KEY, kid="ed"),
        jwk(RSA_KEY, kid="rsa"),
        jwk(RSA_KEY, kid="for-encryption", use="enc"),
        jwk(RSA_KEY, kid="other-alg", alg="PS256"),
        jwk(RSA_KEY, kid="signs-only", key_ops=["sign"]),
        jwk(weak, kid="weak"),
        {"kty": ["RSA"], "kid": 5},
        {"kty": "oct", "k": encode(SECRET), "kid": "secret"},
        {"kty": "OKP", "crv": "X25519", "x": encode(bytes(32)), "kid": "x25519"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "short"},
        {"kty": "RSA", "n": "!", "e": "AQAB", "kid": "broken"},
        {"kty": "RSA", "n": encode(b"\xff" * 5000), "e": "AQAB", "kid": "endless"},
    )
    assert [one.kid for one in read_key_set(data, TokenAlgorithm.RS256)] == ["rsa"]
    assert [one.kid for one in read_key_set(data, TokenAlgorithm.EDDSA)] == ["ed"]


@pytest.mark.parametrize("data", [b"", b"[]", b'{"keys":[]}', b'{"keys":{}}', b"\xff", key_set(jwk(RSA_KEY))])
def test_a_set_without_a_fitting_key_is_no_set(data: bytes) -> None:
    with pytest.raises(SettingsInvalid):
        read_key_set(data, TokenAlgorithm.EDDSA)


def test_pem_files_are_read_and_others_refused() -> None:
    pem: Callable[[Ed25519PrivateKey | RSAPrivateKey], str] = lambda key: (  # noqa: E731 - one line, used four times
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    )
    assert len(read_pem(pem(ED_KEY), TokenAlgorithm.EDDSA)) == 1
    assert len(read_pem(pem(RSA_KEY), TokenAlgorithm.RS256)) == 1
    for text in (pem(RSA_KEY), "", "-----BEGIN PUBLIC KEY-----\nxx\n-----END PUBLIC KEY-----"):
        with pytest.raises(SettingsInvalid, match="JWT_PUBLIC_KEY"):
            read_pem(text, TokenAlgorithm.EDDSA)


def test_a_name_chooses_among_keys_and_guesses_nothing() -> None:
    one, two = NamedKey(kid="1", key=ED_KEY.public_key()), NamedKey(kid="2", key=RSA_KEY.public_key())
    assert choose_key([one, two], "2") is two.key
    assert choose_key([one, two], "3") is None
    assert choose_key([one, two], None) is None
    assert choose_key([one, one], "1") is None
    assert choose_key([one], None) is one.key
    assert choose_key([NamedKey(kid=None, key=one.key)], "anything") is one.key


async def test_a_token_of_a_key_nobody_knows_is_refused() -> None:
    keys = FixedKeys(read_key_set(key_set(jwk(ED_KEY, kid="a")), TokenAlgorithm.EDDSA))
    tokens = PublicTokens(keys, ManualClock(NOW), TokenRules(algorithm=TokenAlgorithm.EDDSA))
    good = jwt.encode(claims(), ED_KEY, algorithm="EdDSA", headers={"kid": "a"})
    assert (await tokens.verify(good)).role is Role.ADMIN
    for token in (
        jwt.encode(claims(), ED_KEY, algorithm="EdDSA", headers={"kid": "b"}),
        jwt.encode(claims(), Ed25519PrivateKey.generate(), algorithm="EdDSA", headers={"kid": "a"}),
    ):
        with pytest.raises(TokenInvalid):
            await tokens.verify(token)
