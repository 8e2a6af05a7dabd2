"""Organisers as the server knows them: an id that tokens bear, and a name for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from server.domain.names import read_name
from server.services.audit import Deed, Doer, note_done
from server.services.context import Context
from server.services.problems_organiser import TenantUnknown
from shared.ids import TenantId


class TenantView(Struct, frozen=True, kw_only=True, rename="camel"):
    """An organiser; ``added`` says whether it was made just now."""

    id: TenantId
    name: str
    created_at: datetime
    added: bool = False


async def add_tenant(context: Context, by: Doer, name: str) -> TenantView:
    """Make the organiser ``by`` acts for known; one that is known stays as it is.

    Raises:
        NameUnusable: of the name.
    """
    wanted = read_name(name, 200, "organiser's name")
    async with context.db.tenant(by.tenant) as tx:
        known = await tx.organising.get_tenant()
        await tx.events.add_tenant(wanted)
        row = known or await tx.organising.get_tenant()
        if known is None:
            await note_done(context, tx, by, Deed(action="tenant.create", detail=f"name: {wanted}"))
    if row is None:
        raise TenantUnknown("The organiser cannot be found: check the database's grants.")
    return TenantView(id=row.id, name=row.name, created_at=row.created_at, added=known is None)


async def list_tenants(context: Context, tenants: Sequence[TenantId]) -> list[TenantView]:
    """Return those of the tenants that are known."""
    found = []
    for tenant in tenants:
        async with context.db.tenant(tenant) as tx:
            row = await tx.organising.get_tenant()
        if row is not None:
            found.append(TenantView(id=row.id, name=row.name, created_at=row.created_at))
    return found
