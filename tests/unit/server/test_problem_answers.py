"""Every problem has a status that fits it, and what is internal stays inside."""

from __future__ import annotations

import msgspec
import pytest
from aiohttp.test_utils import make_mocked_request

import server.services.problems as selling
import server.services.problems_gates as doors
from server.api.guard import RequestTimeout
from server.api.problems import STATUS_BY_CODE, Fault, Problem, describe, explain_invalid, find_status, write_problem
from server.db.problems import DatabaseAway, SchemaBehind, TenantWallHit
from server.services.reserve import ReserveRequest
from shared.problems import DataDamaged, Internal, SettingsInvalid, TicketTokenError

KNOWN: list[type[TicketTokenError]] = [
    kind
    for module in (selling, doors)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, TicketTokenError) and kind.__module__ == module.__name__
]


def test_every_use_cases_refusal_is_the_callers_business() -> None:
    assert len(KNOWN) > 20
    # the status depends on the kind alone, whatever a kind wants to be told when it is raised
    statuses = {kind.code: find_status(kind.__new__(kind)) for kind in KNOWN}
    assert {code: status for code, status in statuses.items() if status >= 500} == {"payments_unavailable": 503}
    assert min(statuses.values()) >= 400


def test_no_two_refusals_share_a_code() -> None:
    codes = [kind.code for kind in KNOWN]
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (selling.TicketUnknown("x"), 404),
        (selling.AlreadyHolding("x"), 409),
        (selling.NotEnoughLeft("x"), 422),
        (selling.PaymentUnverified("x"), 402),
        (selling.ReservationExpired("x"), 410),
        (selling.KeyUnusable("x"), 400),
        (selling.KeyReused("x"), 422),
        (selling.RecipientUnproven("x"), 403),
        (RequestTimeout("x"), 503),
        (DatabaseAway("x"), 503),
        (SchemaBehind("x"), 503),
        (TenantWallHit("x"), 403),
        (SettingsInvalid("x"), 500),
        (DataDamaged("x"), 500),
        (Internal("x"), 500),
    ],
)
def test_statuses_are_those_clients_were_promised(problem: TicketTokenError, status: int) -> None:
    assert find_status(problem) == status


def test_what_went_wrong_inside_stays_inside() -> None:
    for problem in (
        Internal("the master key of tenant 7"),
        DatabaseAway("db.internal:5432"),
        SettingsInvalid("JWT_SECRET"),
    ):
        fault = describe(problem)
        assert str(problem) not in fault.detail
        assert fault.code == problem.code


def test_the_table_names_statuses_of_refusals_only() -> None:
    assert set(STATUS_BY_CODE.values()) <= set(range(400, 500))


def test_a_problem_says_whether_to_try_again() -> None:
    request = make_mocked_request("GET", "/api/v1/tickets")
    busy = write_problem(request, "t" * 32, Fault(status=503, code="database_busy", detail="later"))
    final = write_problem(request, "t" * 32, Fault(status=404, code="ticket_not_found", detail="no"))
    busy_body = msgspec.json.decode(busy.body if isinstance(busy.body, bytes) else b"", type=Problem)
    final_body = msgspec.json.decode(final.body if isinstance(final.body, bytes) else b"", type=Problem)
    assert (busy_body.retry.retryable, busy.headers["Retry-After"]) == (True, "5")
    assert (final_body.retry.retryable, "Retry-After" in final.headers) == (False, False)
    assert (final_body.instance, final_body.trace_id, final_body.type) == (
        "/api/v1/tickets",
        "t" * 32,
        "urn:tickettoken:problem:ticket_not_found",
    )


def test_a_faulty_field_is_named_and_its_value_is_not() -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(b'{"eventId": "my secret", "tickets": []}', type=ReserveRequest)
    problem = explain_invalid(caught.value)
    assert [error.field for error in problem.errors] == ["eventId"]
    assert "my secret" not in problem.errors[0].message
