"""A route that does not say who may call it does not come into being."""

from __future__ import annotations

from uuid import UUID

import pytest
from aiohttp import web

from server.api.guard import mount
from server.api.routes import Auth, Authenticators, Route
from server.domain.access import SCOPES, GateCaller, Role, Scope, ScopeMissing, User, check_scope
from shared.ids import TenantId, UserId
from shared.problems import Denied, Internal


async def answer(request: web.Request) -> web.Response:
    """Answer with nothing."""
    return web.Response(text=request.path)


async def no_user(request: web.Request) -> User:
    """Know nobody."""
    raise Denied(f"nobody is known at {request.path}")


async def no_gate(request: web.Request) -> GateCaller:
    """Know no gate."""
    raise Denied(f"no gate is known at {request.path}")


KNOW_NOBODY = Authenticators(user=no_user, gate=no_gate)


@pytest.mark.parametrize(
    ("auth", "scope"),
    [
        (None, None),
        (None, Scope.TICKETS_OWN),
        (Auth.USER, None),
        (Auth.PUBLIC, Scope.TICKETS_OWN),
        (Auth.GATE, Scope.SCANS_READ),
        (Auth.SCANNER, None),
        (Auth.SERVICE, Scope.SCANS_READ),
        (Auth.SERVICE, None),
    ],
)
def test_half_described_routes_stop_the_start(auth: Auth | None, scope: Scope | None) -> None:
    route = Route(method="GET", path="/x", handler=answer, auth=auth, scope=scope)
    with pytest.raises(Internal, match="/x"):
        mount(web.Application(), [route], KNOW_NOBODY)


def test_described_routes_are_mounted() -> None:
    app = web.Application()
    routes = [
        Route(method="GET", path="/public", handler=answer, auth=Auth.PUBLIC),
        Route(method="POST", path="/own", handler=answer, auth=Auth.USER, scope=Scope.TICKETS_OWN),
        Route(method="POST", path="/gate", handler=answer, auth=Auth.GATE),
    ]
    mount(app, routes, KNOW_NOBODY)
    mounted = {(route.method, route.resource and route.resource.canonical) for route in app.router.routes()}
    assert mounted >= {("GET", "/public"), ("POST", "/own"), ("POST", "/gate")}


def test_every_role_has_its_scopes_and_no_more() -> None:
    assert set(SCOPES) == set(Role)
    assert Scope.GATES_MANAGE not in SCOPES[Role.CUSTOMER] | SCOPES[Role.DOOR_STAFF] | SCOPES[Role.BOX_OFFICE]
    assert Scope.SCANS_READ not in SCOPES[Role.CUSTOMER]
    assert SCOPES[Role.ADMIN] == set(Scope)
    assert SCOPES[Role.ADMIN] - SCOPES[Role.VENUE_MANAGER] == {Scope.KEYS_MANAGE, Scope.ACCESS_MANAGE}


def test_a_scope_that_is_missing_is_named() -> None:
    customer = User(tenant=TenantId(UUID(int=1)), user=UserId(UUID(int=2)), role=Role.CUSTOMER)
    check_scope(customer, Scope.TICKETS_OWN)
    with pytest.raises(ScopeMissing, match="gates:manage"):
        check_scope(customer, Scope.GATES_MANAGE)
