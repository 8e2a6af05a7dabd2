"""`tickettoken tenants`: organisers, added and listed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from server.cli_deeds import operator_of
from server.cli_office import Office, plain, run
from server.services.tenants import TenantView, add_tenant, list_tenants
from shared.ids import TenantId, uuid7


def add(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Make an organiser known."""
    return run(arguments, environ, _add)


def listing(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Show all organisers."""
    return run(arguments, environ, _list)


async def _add(arguments: argparse.Namespace, office: Office) -> None:
    context = office.context
    tenant = TenantId(arguments.id or uuid7(context.clock.now(), context.random_bytes))
    made = await add_tenant(context, operator_of(tenant), arguments.name)
    office.tell(made, _line(made) + ("" if made.added else "   was there already, and stays as it is"))


async def _list(_: argparse.Namespace, office: Office) -> None:
    found = await list_tenants(office.context, office.tenants)
    lines = [_line(one) for one in found] or ["no tenants yet: `tickettoken tenants add NAME` makes one"]
    office.tell(found, *lines)


def _line(tenant: TenantView) -> str:
    return f"{tenant.id}  {plain(tenant.name)}"
