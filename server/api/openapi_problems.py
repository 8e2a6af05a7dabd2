"""Which problems a route may answer with: its own, and those its kind of caller, body and addressing bring along."""

from __future__ import annotations

from msgspec import Struct

from server.api.openapi_types import first_sentence
from server.api.problems import find_status
from server.api.routes import Auth, Route
from server.domain.limits import LimitClass


class KnownProblem(Struct, frozen=True, kw_only=True, order=True):
    """One thing that may be answered instead of a success."""

    status: int
    code: str
    meaning: str


def _known(status: int, code: str, meaning: str) -> KnownProblem:
    return KnownProblem(status=status, code=code, meaning=meaning)


_ALWAYS = (
    _known(503, "request_timeout", "The request took longer than the server gives it."),
    _known(503, "database_unavailable", "The database does not answer."),
    _known(503, "database_busy", "The database gave up on this because of others."),
)
_ROOM = (_known(429, "rate_limited", "Too many calls: `Retry-After` says when the next one counts."),)
_TOKEN = _known(401, "token_missing", "The request carries no token.")
_SCOPE = _known(403, "scope_missing", "The caller is known, and this is not theirs to do.")
_KEYS_AWAY = _known(503, "token_keys_unavailable", "The keys to check tokens with cannot be had.")
_USER = (_KEYS_AWAY, _TOKEN, _known(401, "token_invalid", "The token is not one of ours, or not any more."), _SCOPE)
_GATE = (
    _TOKEN,
    _known(401, "gate_token_invalid", "The gate does not prove to be who it says."),
    _known(401, "gate_clock_off", "The gate's proof is of another time: its clock is wrong."),
    _known(403, "device_revoked", "The organiser took this gate out of service."),
)
_SCANNER = (
    *_USER,
    _known(401, "api_key_invalid", "The API key is unknown, revoked, out of date, or mistyped."),
    _known(404, "event_not_found", "No such event for this caller."),
    _known(403, "key_bound", "The API key belongs to one event, and this call is not about that event alone."),
)
_SERVICE = (
    _known(401, "token_missing", "The request carries no signature."),
    _known(401, "service_signature_invalid", "The call is not signed by the service it names."),
    _known(401, "service_clock_off", "The call is signed well, and of another time than the server's."),
    _known(401, "nonce_reused", "This very call came before."),
    _known(413, "body_too_large", "The body is larger than one megabyte."),
    _known(403, "service_not_allowed", "The service is known, and this call is not on its list."),
)
_BY_AUTH: dict[Auth, tuple[KnownProblem, ...]] = {
    Auth.PUBLIC: (),
    Auth.USER: _USER,
    Auth.SCANNER: _SCANNER,
    Auth.GATE: _GATE,
    Auth.SERVICE: _SERVICE,
}

_INVALID = _known(400, "request_invalid", "The request does not have the form this call asks for.")
_BODY = (
    _INVALID,
    _known(413, "body_too_large", "The body is larger than this call takes."),
    _known(415, "media_type_unsupported", "The body does not come in a form this call takes."),
)
_TEXT = _known(400, "text_unusable", "A text holds a character that cannot be stored, such as NUL.")
_PATH = (_known(404, "not_found", "There is nothing under this id."),)
_KEYED = (
    _known(400, "idempotency_key_unusable", "The Idempotency-Key header is missing or of another form."),
    _known(409, "idempotency_in_progress", "The same call is at work right now."),
    _known(409, "answer_erased", "The call was done, and its answer was erased since with the personal data in it."),
    _known(422, "idempotency_key_reused", "The Idempotency-Key was used for another request."),
)

BEYOND_ROUTES = (
    _known(404, "route_not_found", "There is nothing at this address."),
    _known(405, "method_not_allowed", "This address knows other methods, see the Allow header."),
    _known(500, "internal_error", "The server has a fault; its log knows more under the trace id."),
)
"""What may be answered where no route is, or where one of ours failed."""


def list_problems(route: Route) -> list[KnownProblem]:
    """Return everything a route may answer besides its success, in the order of statuses and codes."""
    found = [*_ALWAYS, *(_BY_AUTH[route.auth] if route.auth else ())]
    if route.counted_as is not LimitClass.FREE:
        found += _ROOM
    if route.body is not None or route.method in {"POST", "PUT", "PATCH"}:
        found += _BODY if route.body is not None else (_BODY[1],)
    if route.body is not None:
        found.append(_TEXT)
    if route.query is not None:
        found.append(_INVALID)
    if "{" in route.path:
        found += _PATH
    if route.keyed:
        found += _KEYED
    for kind in route.raises:
        # The status depends on the kind alone, whatever it wants to be told when it is raised.
        found.append(_known(find_status(kind.__new__(kind)), kind.code, first_sentence(kind.__doc__)))
    return sorted({one.code: one for one in found}.values())
