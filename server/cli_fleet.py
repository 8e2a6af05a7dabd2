"""`tickettoken gates command`, `change` and `enrol`: what gates are to do, to be, and how they come to be."""

from __future__ import annotations

import argparse
import io
from collections.abc import Mapping
from datetime import timedelta

import segno

from server.cli_doors import describe_gate, owner_of_gate
from server.cli_office import SOURCE, Office, plain, run
from server.domain.names import read_name
from server.services import gate_commands
from server.services.enrol import Enrolment, GateWish, IssuedCode
from server.services.gate_views import show_gate, view_command
from shared.admission.policy import GateRole
from shared.admission.verdict import Direction
from shared.ids import EventId, GateId
from shared.problems import InputUnusable
from shared.sync.command import CommandKind


def command(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Have a gate do something."""
    return run(arguments, environ, _command)


def change(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Have a gate be something else."""
    return run(arguments, environ, _change)


def enrol(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Make a one-time code for a gate and show it as text and as a QR symbol."""
    return run(arguments, environ, _enrol)


async def _command(arguments: argparse.Namespace, office: Office) -> None:
    gate, context = GateId(arguments.gate), office.context
    tenant = await owner_of_gate(office, gate)
    wish = gate_commands.CommandWish(
        kind=CommandKind(arguments.kind),
        text=None if arguments.text is None else read_name(arguments.text, 200, "text"),
        life=None if arguments.expires is None else timedelta(seconds=arguments.expires),
    )
    by = gate_commands.Commander(tenant=tenant, name=SOURCE)
    async with context.db.tenant(tenant) as tx:
        row = await gate_commands.give_command(context, tx, by, gate, wish)
    found = view_command(row, context.clock.now())
    office.tell(
        found,
        f"command {found.number} ({found.kind}) waits for the gate: `tickettoken gates show {gate}` says what became of it",
    )


async def _change(arguments: argparse.Namespace, office: Office) -> None:
    gate, context = GateId(arguments.gate), office.context
    tenant = await owner_of_gate(office, gate)
    wanted = gate_commands.GateChange(
        name=None if arguments.name is None else read_name(arguments.name, 100, "gate's name"),
        direction=None if arguments.direction is None else Direction(arguments.direction),
        zones=arguments.zones,
        products=None if arguments.products is None else tuple(arguments.products),
        role=None if arguments.role is None else GateRole(arguments.role),
    )
    by = gate_commands.Commander(tenant=tenant, name=SOURCE)
    async with context.db.tenant(tenant) as tx:
        await gate_commands.change_gate(context, tx, by, gate, wanted)
    found = await show_gate(context, tenant, gate)
    office.tell(found, *describe_gate(found))


async def _enrol(arguments: argparse.Namespace, office: Office) -> None:
    context = office.context
    enrolment = Enrolment(context.db, context.vault, context.random_bytes)
    if arguments.replace:
        gate = GateId(arguments.event)
        tenant = await owner_of_gate(office, gate)
        name = (await show_gate(context, tenant, gate)).name
        _show_code(office, await enrolment.issue_replacement(tenant, gate, context.clock.now()), name)
        return
    if arguments.name is None:
        raise InputUnusable("Say what the gate is to be called: gates enrol EVENT NAME.")
    event = EventId(arguments.event)
    wish = GateWish(
        event=event,
        name=read_name(arguments.name, 100, "gate's name"),
        direction=Direction(arguments.direction),
        zones=arguments.zones or 0,
        products=tuple(arguments.products or ()),
        role=GateRole(arguments.role),
    )
    issued = await enrolment.issue_code(await office.owner_of_event(event), wish, context.clock.now())
    _show_code(office, issued, wish.name)


def _show_code(office: Office, issued: IssuedCode, name: str) -> None:
    office.tell(
        {"code": issued.code, "expiresAt": issued.expires_at},
        draw_symbol(issued.code),
        issued.code,
        f"makes one gate, '{plain(name)}', until {issued.expires_at:%H:%M:%S} UTC:",
        f"  tickettoken-gate enrol --server ADDRESS {issued.code}",
    )


def draw_symbol(text: str) -> str:
    """Return a QR symbol in half blocks, as large as a terminal of 80 columns and 24 lines shows without scrolling."""
    drawn = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(out=drawn, border=2, compact=True)
    return drawn.getvalue().rstrip("\n")
