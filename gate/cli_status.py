"""`tickettoken-gate status`: what this gate recorded and knows."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec

from gate.inspection import Inventory, take_inventory
from shared.clock import SystemClock
from shared.settings import Secret


def show_status(directory: Path, passphrase: Secret | None, *, as_json: bool) -> int:
    """Print what a data directory says.

    Raises:
        NotFound: the gate is not enrolled.
        TicketTokenError: a file cannot be used.
    """
    inventory = asyncio.run(take_inventory(directory, SystemClock(), passphrase))
    if as_json:
        sys.stdout.write(msgspec.json.encode(inventory).decode() + "\n")
    else:
        sys.stdout.write(_describe(inventory))
    return 0


def _describe(found: Inventory) -> str:
    confirmed = f"{found.confirmed:%Y-%m-%d %H:%M:%S} UTC" if found.confirmed else "never"
    keys = f"until {found.keys_until:%Y-%m-%d %H:%M} UTC" if found.keys_until else "none"
    lines = {
        "gate": f"{found.name} ({found.gate})" + (", REVOKED" if found.revoked else ""),
        "event": f"{found.event_name} ({found.event})",
        "server": found.server,
        "agent": "running" if found.running else "not running",
        "scans": f"{found.scans}: {found.admitted} in, {found.exited} out, {found.refused} refused",
        "to hand over": str(found.backlog),
        "tickets": f"{found.tickets}" + ("" if found.complete else " (not complete yet)"),
        "up to date": f"{confirmed}, feed position {found.feed_seq}",
        "keys": f"{keys}, bundle {found.bundle_version}",
    }
    return "".join(f"{name + ':':<14}{value}\n" for name, value in lines.items())
