"""The server's settings: names as operators know them, every fault reported together."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from server.domain.token_rules import OWN_NAME, TokenAlgorithm
from server.settings_access import AccessSettings, Name, plan_access
from server.settings_monitoring import plan_monitoring
from shared.codes.keys import parse_key_ring
from shared.problems import SettingsInvalid
from shared.settings import Secret, load_settings

DEFAULT_PORT = 3004
SHORTEST_JWT_SECRET = 64
_FEWEST_DISTINCT = 12


class Payments(StrEnum):
    """Who is asked whether a payment is good; ``facts``: what the payment service told over the broker or REST."""

    NONE = "none"
    FACTS = "facts"
    DEMO = "demo"


Port = Annotated[int, Meta(ge=0, le=65535)]
Connections = Annotated[int, Meta(ge=1, le=500)]
Minutes = Annotated[int, Meta(ge=1, le=120)]
HorizonHours = Annotated[int, Meta(ge=24, le=720)]
OverlapMinutes = Annotated[int, Meta(ge=2, le=24 * 60)]
PublicUrl = Annotated[str, Meta(pattern=r"^https?://[^/\s]+$")]


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Settings(AccessSettings, frozen=True, kw_only=True):
    """What a server needs to know; each field is an environment variable in capitals.

    ``database_url`` is the tt_app role's address, ``worker_database_url`` that of tt_worker, ``owner_database_url`` that of
    tt_owner, which only `tickettoken migrate` uses. ``qr_encryption_key`` wraps all stored keys. Links to tickets begin with
    ``public_url``, by default with the address a request came to, which behind a proxy is not the one people use.
    Gates have keys for ``key_horizon_hours`` ahead; codes count for ``key_overlap_minutes`` after an emergency replaced their
    keys. Tickets are printed in ``print_font``, a TrueType file. ``rabbitmq_url`` is the broker over which other programs are
    told and tell; without one they are not. ``rabbitmq_management_url`` is its management API, for looking at it closely.
    With ``gate_amqp_url`` gates use the broker as well, at that address and each with an account of its own; ``gate_amqp_ca``
    holds the certificates (PEM) that vouch for it, if they are not those every machine trusts.
    """

    database_url: Secret
    worker_database_url: Secret
    qr_encryption_key: Secret
    jwt_secret: Secret | None = None
    redis_url: Secret | None = None
    owner_database_url: Secret | None = None
    host: str = "127.0.0.1"
    port: Port = DEFAULT_PORT
    payments: Payments = Payments.NONE
    reservation_minutes: Minutes = 10
    database_connections: Connections = 10
    log_level: LogLevel = LogLevel.INFO
    public_url: PublicUrl | None = None
    key_horizon_hours: HorizonHours = 72
    key_overlap_minutes: OverlapMinutes = 10
    print_font: Path | None = None
    rabbitmq_url: Secret | None = None
    rabbitmq_management_url: Secret | None = None
    gate_amqp_url: str | None = None
    gate_amqp_ca: str | None = None


class _Offered(Struct, frozen=True, kw_only=True):
    """The settings whose content is looked at, all optional, so that one missing does not hide another's fault."""

    jwt_secret: Secret | None = None
    qr_encryption_key: Secret | None = None


class EmbeddedSettings(AccessSettings, frozen=True, kw_only=True):
    """What a server with its own database may be told; everything has a default."""

    jwt_secret: Secret | None = None
    qr_encryption_key: Secret | None = None
    host: str = "127.0.0.1"
    port: Port = DEFAULT_PORT
    payments: Payments = Payments.NONE
    reservation_minutes: Minutes = 10
    log_level: LogLevel = LogLevel.INFO
    public_url: PublicUrl | None = None
    key_horizon_hours: HorizonHours = 72
    key_overlap_minutes: OverlapMinutes = 10
    print_font: Path | None = None


class TokenSettings(Struct, frozen=True, kw_only=True):
    """What making a user's token needs to know."""

    jwt_secret: Secret
    jwt_algorithm: TokenAlgorithm = TokenAlgorithm.HS256
    jwt_issuer: Name = OWN_NAME
    jwt_audience: Name = OWN_NAME


class OwnerSettings(Struct, frozen=True, kw_only=True):
    """What a migration needs to know."""

    owner_database_url: Secret


class AdminSettings(Struct, frozen=True, kw_only=True):
    """What backing up and restoring need to know: a superuser's address of the program's database."""

    admin_database_url: Secret


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings of an environment; ``NAME_FILE`` names a file with the value of ``NAME``.

    Raises:
        SettingsInvalid: naming every fault at once, no value shown.
    """
    faults: list[str] = []
    settings = None
    try:
        settings = load_settings(Settings, environ)
    except SettingsInvalid as exc:
        faults.append(str(exc))
    try:
        offered = load_settings(_Offered, environ)
        check_secrets(offered.jwt_secret, offered.qr_encryption_key)
    except SettingsInvalid as exc:
        # A file that cannot be read was named above already.
        faults += [str(exc)] if str(exc) not in faults else []
    faults += _find_access_faults(settings)
    if settings is None or faults:
        raise SettingsInvalid(" ".join(faults))
    return settings


def _find_access_faults(settings: Settings | None) -> list[str]:
    if settings is None:
        return []
    if settings.jwt_algorithm is TokenAlgorithm.HS256 and settings.jwt_secret is None:
        return ["These settings need attention: JWT_SECRET is not set."]
    faults = []
    for plan in (plan_access, plan_monitoring):
        try:
            plan(settings)
        except SettingsInvalid as exc:
            faults.append(str(exc))
    return faults


def check_secrets(jwt_secret: Secret | None, qr_encryption_key: Secret | None) -> None:
    """Return if the secrets that are given are fit for their purpose.

    Raises:
        SettingsInvalid: one is too short or guessable.
    """
    faults: list[str] = []
    if jwt_secret is not None:
        faults += _check_jwt_secret(jwt_secret.value)
    if qr_encryption_key is not None:
        try:
            parse_key_ring(qr_encryption_key.value)
        except SettingsInvalid as exc:
            faults.append(str(exc))
    if faults:
        raise SettingsInvalid(" ".join(faults))


def _check_jwt_secret(secret: str) -> list[str]:
    if len(secret) < SHORTEST_JWT_SECRET:
        return [f"JWT_SECRET must have {SHORTEST_JWT_SECRET} characters or more (`openssl rand -hex 32` makes one)."]
    if len(set(secret)) < _FEWEST_DISTINCT:
        return ["JWT_SECRET is guessable: make one with `openssl rand -hex 32`."]
    return []
