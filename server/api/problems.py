"""Problems on the wire: RFC 9457 bodies, and the one table that says which HTTP status each code has."""

from __future__ import annotations

import re
from math import ceil
from typing import ClassVar

import msgspec
from aiohttp import web
from msgspec import Struct

from server.services.problems_access import AlreadyCheckedIn, FirstUse
from server.services.problems_gates import TooManyTries
from shared.problems import Conflict, Denied, InputUnusable, NotFound, SettingsInvalid, TicketTokenError, Unavailable

_RETRY_AFTER_S = 5
_PATH = re.compile(r" - at `\$\.?(.*)`$")

STATUS_BY_CODE: dict[str, int] = {
    "token_missing": 401,
    "token_invalid": 401,
    "api_key_invalid": 401,
    "service_signature_invalid": 401,
    "service_clock_off": 401,
    "nonce_reused": 401,
    "gate_token_invalid": 401,
    "gate_clock_off": 401,
    "feed_too_old": 410,
    "payment_unverified": 402,
    "reservation_expired": 410,
    "transfer_over": 410,
    "code_over": 410,
    "enrolment_code_unknown": 404,
    "enrolment_code_used": 410,
    "enrolment_code_expired": 410,
    "not_acceptable": 406,
    "file_too_large": 413,
    "file_unusable": 422,
    "schedule_invalid": 422,
    "name_unusable": 422,
    "media_type_unsupported": 415,
    "not_enough_left": 422,
    "limit_exceeded": 422,
    "currencies_mixed": 422,
    "transfer_limit_reached": 422,
    "transfer_day_limit_reached": 422,
    "transfer_to_self": 422,
    "idempotency_key_reused": 422,
    "rate_limited": 429,
}
"""Codes whose status is not that of their kind."""

_STATUS_BY_KIND: tuple[tuple[type[TicketTokenError], int], ...] = (
    (SettingsInvalid, 500),
    (NotFound, 404),
    (Denied, 403),
    (Conflict, 409),
    (InputUnusable, 400),
    (Unavailable, 503),
)

_RETRYABLE = frozenset({429, 503})
_RETRYABLE_CODES = frozenset({"idempotency_in_progress", "ticket_changed"})


class FieldError(Struct, frozen=True, kw_only=True):
    """What is wrong with one field; ``field`` is its path, empty for the body as a whole."""

    field: str
    message: str
    code: str


class Retry(Struct, frozen=True, kw_only=True):
    """Whether the same call may succeed later, and after how many seconds to try."""

    retryable: bool
    after: int | None = None


class Problem(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The body of every answer that is not a success (RFC 9457). ``first`` is of a ticket that is checked in already."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    trace_id: str
    errors: list[FieldError] = []
    first: FirstUse | None = None
    retry: Retry


class RequestInvalid(InputUnusable):
    """The request does not have the form the call asks for."""

    code = "request_invalid"

    def __init__(self, message: str, errors: list[FieldError] | None = None) -> None:
        super().__init__(message)
        self.errors = errors or []


class MediaTypeUnsupported(InputUnusable):
    """The body is not JSON."""

    code: ClassVar[str] = "media_type_unsupported"


class NotAcceptable(InputUnusable):
    """None of the forms the caller accepts can be made."""

    code: ClassVar[str] = "not_acceptable"


def explain_invalid(exc: msgspec.ValidationError) -> RequestInvalid:
    """Return the problem for a body that does not fit its struct; the message names types, never values."""
    text = str(exc)
    found = _PATH.search(text)
    message = _PATH.sub("", text)
    field = FieldError(field=found[1] if found else "", message=message, code="invalid")
    return RequestInvalid("The request does not have the form this call asks for.", [field])


def find_status(problem: TicketTokenError) -> int:
    """Return the HTTP status of a problem."""
    if problem.code in STATUS_BY_CODE:
        return STATUS_BY_CODE[problem.code]
    return next((status for kind, status in _STATUS_BY_KIND if isinstance(problem, kind)), 500)


class Fault(Struct, frozen=True, kw_only=True):
    """What a problem's answer is made of."""

    status: int
    code: str
    detail: str
    errors: list[FieldError] = []
    retry_after_s: int = _RETRY_AFTER_S
    first: FirstUse | None = None


def describe(problem: TicketTokenError) -> Fault:
    """Return what the caller may learn of a problem. What went wrong inside the server stays in its log."""
    status = find_status(problem)
    detail = str(problem) if status < 500 else "The server cannot do this now; its log knows more under this trace id."
    errors = problem.errors if isinstance(problem, RequestInvalid) else []
    wait_s = ceil(problem.wait_s) if isinstance(problem, TooManyTries) else _RETRY_AFTER_S
    first = problem.first if isinstance(problem, AlreadyCheckedIn) else None
    return Fault(status=status, code=problem.code, detail=detail, errors=errors, retry_after_s=wait_s, first=first)


def write_problem(request: web.Request, trace_id: str, fault: Fault) -> web.Response:
    """Return a problem's answer with the headers its status asks for."""
    retryable = fault.status in _RETRYABLE or fault.code in _RETRYABLE_CODES
    problem = Problem(
        type=f"urn:tickettoken:problem:{fault.code}",
        title=fault.code.replace("_", " ").capitalize(),
        status=fault.status,
        detail=fault.detail,
        instance=request.path,
        code=fault.code,
        trace_id=trace_id,
        errors=fault.errors,
        first=fault.first,
        retry=Retry(retryable=retryable, after=fault.retry_after_s if retryable else None),
    )
    headers = {"Cache-Control": "no-store"}
    if retryable:
        headers["Retry-After"] = str(fault.retry_after_s)
    if fault.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="tickettoken"'
    body = msgspec.json.encode(problem)
    return web.Response(status=fault.status, body=body, content_type="application/problem+json", headers=headers)
