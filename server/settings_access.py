"""The settings that say who may call: tokens, services, limits, proxies, and the Redis that servers share."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Protocol

from msgspec import Meta, Struct

from server.auth.key_fetch import check_address, fetch_from
from server.auth.key_set import read_key_set, read_pem
from server.auth.public_tokens import FetchedKeys, FixedKeys
from server.domain.limits import DEFAULT_QUOTAS, QuotaTable, parse_quotas
from server.domain.token_rules import OWN_NAME, TokenAlgorithm, TokenRules
from server.settings_monitoring import MonitoringSettings
from shared.clock import Clock
from shared.problems import SettingsInvalid
from shared.settings import Secret

SHORTEST_SERVICE_SECRET = 32
_FEWEST_DISTINCT = 12

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Network = IPv4Network | IPv6Network


class AccessSettings(MonitoringSettings, frozen=True, kw_only=True):
    """Each field is an environment variable in capitals; all have defaults.

    Users' tokens are signed by ``jwt_algorithm``, come from ``jwt_issuer`` and are for ``jwt_audience``. For other algorithms
    than HS256 the public key is ``jwt_public_key`` (PEM) or one of the set ``jwt_jwks``, which may also be fetched from
    ``jwt_jwks_url``. ``internal_service_secret`` is that of the built-in service caller `internal`; services sign for
    ``service_audience``. ``rate_limits`` changes limits (`read=600/60,write=off`), ``trusted_proxies`` are networks whose
    X-Forwarded-For is believed.
    """

    jwt_algorithm: TokenAlgorithm = TokenAlgorithm.HS256
    jwt_issuer: Name = OWN_NAME
    jwt_audience: Name = OWN_NAME
    jwt_public_key: str | None = None
    jwt_jwks: str | None = None
    jwt_jwks_url: str | None = None
    internal_service_secret: Secret | None = None
    service_audience: Name = OWN_NAME
    rate_limits: str = ""
    trusted_proxies: str = ""


class AccessPlan(Struct, frozen=True, kw_only=True):
    """The same, read and found sound: what a server is opened with."""

    rules: TokenRules = TokenRules()
    public_key: str | None = None
    jwks: str | None = None
    jwks_url: str | None = None
    service_secret: Secret | None = None
    service_audience: str = OWN_NAME
    quotas: QuotaTable = DEFAULT_QUOTAS
    proxies: tuple[Network, ...] = ()

    def __repr__(self) -> str:
        """Keep secrets out of logs."""
        return "AccessPlan(…)"


def plan_access(settings: AccessSettings) -> AccessPlan:
    """Return the plan the settings make.

    Raises:
        SettingsInvalid: naming every fault at once, no value shown.
    """
    faults = [*_find_key_faults(settings), *_find_secret_faults(settings.internal_service_secret)]
    quotas, proxies = DEFAULT_QUOTAS, ()  # type: tuple[QuotaTable, tuple[Network, ...]]
    try:
        quotas = parse_quotas(settings.rate_limits)
    except SettingsInvalid as exc:
        faults.append(str(exc))
    try:
        proxies = parse_networks(settings.trusted_proxies)
    except SettingsInvalid as exc:
        faults.append(str(exc))
    if faults:
        raise SettingsInvalid(" ".join(faults))
    return AccessPlan(
        rules=token_rules(settings),
        public_key=settings.jwt_public_key,
        jwks=settings.jwt_jwks,
        jwks_url=settings.jwt_jwks_url,
        service_secret=settings.internal_service_secret,
        service_audience=settings.service_audience,
        quotas=quotas,
        proxies=proxies,
    )


class NamesTokens(Protocol):
    """Settings that say which tokens count."""

    @property
    def jwt_algorithm(self) -> TokenAlgorithm: ...
    @property
    def jwt_issuer(self) -> str: ...
    @property
    def jwt_audience(self) -> str: ...


def token_rules(settings: NamesTokens) -> TokenRules:
    """Return which tokens count by some settings."""
    return TokenRules(algorithm=settings.jwt_algorithm, issuer=settings.jwt_issuer, audience=settings.jwt_audience)


def choose_keys(plan: AccessPlan, clock: Clock) -> FixedKeys | FetchedKeys | None:
    """Return the public keys of tokens made elsewhere; None where this server makes them itself.

    Raises:
        SettingsInvalid: they cannot be read.
    """
    algorithm = plan.rules.algorithm
    if algorithm is TokenAlgorithm.HS256:
        return None
    if plan.jwks_url is not None:
        return FetchedKeys(fetch_from(plan.jwks_url, algorithm), clock)
    if plan.jwks is not None:
        return FixedKeys(read_key_set(plan.jwks.encode(), algorithm))
    return FixedKeys(read_pem(plan.public_key or "", algorithm))


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a list such as `10.0.0.0/8,2001:db8::/32`; a single address is a network of its own.

    Raises:
        SettingsInvalid: a part is neither.
    """
    try:
        return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())
    except ValueError as exc:
        raise SettingsInvalid("TRUSTED_PROXIES is a list of addresses or networks such as 10.0.0.0/8.") from exc


def _find_key_faults(settings: AccessSettings) -> list[str]:
    given = [one for one in (settings.jwt_public_key, settings.jwt_jwks, settings.jwt_jwks_url) if one is not None]
    if settings.jwt_algorithm is TokenAlgorithm.HS256:
        return ["JWT_ALGORITHM is HS256, which needs JWT_SECRET and no public key: remove the key."] if given else []
    if len(given) != 1:
        return [f"JWT_ALGORITHM={settings.jwt_algorithm} needs one of JWT_PUBLIC_KEY, JWT_JWKS and JWT_JWKS_URL."]
    try:
        if settings.jwt_jwks_url is not None:
            check_address(settings.jwt_jwks_url)
        elif settings.jwt_jwks is not None:
            read_key_set(settings.jwt_jwks.encode(), settings.jwt_algorithm)
        else:
            read_pem(given[0], settings.jwt_algorithm)
    except SettingsInvalid as exc:
        return [str(exc)]
    return []


def _find_secret_faults(secret: Secret | None) -> list[str]:
    if secret is None:
        return []
    if len(secret.value) < SHORTEST_SERVICE_SECRET:
        return [f"INTERNAL_SERVICE_SECRET must have {SHORTEST_SERVICE_SECRET} characters or more."]
    if len(set(secret.value)) < _FEWEST_DISTINCT:
        return ["INTERNAL_SERVICE_SECRET is guessable: make one with `openssl rand -hex 32`."]
    return []
