"""No command and no call that changes something can be forgotten by the audit log."""

from __future__ import annotations

import importlib

import pytest
from aiohttp import web

from server.api.guard import mount
from server.api.routes import Auth, Authenticators, Route
from server.cli import build_parser
from server.cli_deeds import DEEDS as COMMANDS
from server.cli_deeds import NOTED_INSIDE
from server.domain.access import Scope
from server.domain.deeds import DEEDS, describe
from shared.problems import Internal
from tests.acceptance.test_cli_reference import leaves
from tests.unit.server.test_routes import answer, no_gate, no_user

READING = {
    *("server.cli_tenants:listing", "server.cli_events:listing", "server.cli_events:show", "server.cli_tickets:show"),
    *("server.cli_doors:gates", "server.cli_doors:gate", "server.cli_doors:conflicts", "server.cli_doors:conflict"),
    *("server.cli_keys:status", "server.cli_access:list_api_keys", "server.cli_access:list_services"),
    *("server.cli_access:list_people", "server.cli_staff:listing", "server.cli_audit:listing"),
    *("server.cli_nft:status", "server.cli_nft:estimate_cost", "server.cli_nft:verify", "server.cli_nft:reconcile_all"),
    "server.cli_nft:dead",
}
OF_THE_INSTALLATION = {
    *("server.cli_serve", "server.cli_tools", "server.demo.command", "server.cli_backup", "server.cli_secrets"),
    "server.cli_dlq",
}
"""They are about no organiser in particular: they set up, run, back up and look after the whole."""


def test_every_command_about_an_organiser_reads_or_is_noted() -> None:
    runs = {str(command.get_default("run")) for command in leaves(build_parser())}
    about_organisers = {run for run in runs if run.partition(":")[0] not in OF_THE_INSTALLATION}
    noted = set(COMMANDS) | NOTED_INSIDE
    assert about_organisers == READING | noted
    assert not READING & noted
    for run in noted:
        module, _, function = run.partition(":")
        assert callable(getattr(importlib.import_module(module), function))


def test_a_route_that_changes_something_and_has_no_name_stops_the_start() -> None:
    route = Route(method="PUT", path="/x", handler=answer, auth=Auth.USER, scope=Scope.EVENTS_MANAGE)
    with pytest.raises(Internal, match="audit"):
        mount(web.Application(), [route], Authenticators(user=no_user, gate=no_gate))


def test_one_deed_has_one_name_whichever_way_it_is_done() -> None:
    both = set(DEEDS.values()) & set(COMMANDS.values())
    assert {
        "ticket.revoke",
        "gate.revoke",
        "gate.command",
        "event.cancel",
        "conflict.resolve",
        "supervisor.pin",
    } <= both
    assert all(len(name) <= 60 for name in (*DEEDS.values(), *COMMANDS.values()))


def test_only_what_may_be_told_is_told() -> None:
    call = {"holderName": "Zoë", "reason": "fraud", "pin": "730518", "recipientEmail": "a@b.example", "refund": True}
    assert describe(call) == "reason: fraud, refund: yes"
    assert describe({"scopes": ["a", "b"], "force": False, "text": ""}) == "scopes: a b"
    assert describe([1]) == describe(None) == describe("x") == ""
