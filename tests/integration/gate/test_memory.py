"""What lies in a working gate's memory: enough to read codes, nothing to make one with, and no name nobody showed a code for."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from shared.codes import chain
from shared.codes.capsule import VERSION, Header, Profile, event_hint, pack_header
from tests.acceptance.programs import bare_environment, gate_command
from tests.integration.gate.venue import ENVELOPE, EVENT, ISSUER, MASTER, ORGANISER, Ticket, Venue, prepare_gate

WRITABLE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw")
GUESTS = 5


class Line(Struct, frozen=True, kw_only=True):
    """The part of an output line that counts here."""

    type: str
    admitted: bool = False


@contextmanager
def gate_at_work(data: Path, code: str) -> Iterator[int]:
    """Run the real agent until it has let one person in, and give its process id while it waits for the next."""
    command = gate_command("run", "--headless", "--data", str(data), "--source", "stdin")
    agent = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sys.stderr, env=bare_environment()
    )
    with agent:
        assert agent.stdin is not None
        assert agent.stdout is not None
        agent.stdin.write(code.encode() + b"\n")
        agent.stdin.flush()
        lines = (msgspec.json.decode(line, type=Line) for line in agent.stdout)
        assert next(line for line in lines if line.type == "scan").admitted
        try:
            yield agent.pid
        finally:
            agent.kill()


def read_memory(process: int) -> bytes:
    """Return everything a process has written to its memory."""
    places = Path(f"/proc/{process}/maps").read_text().splitlines()
    parts: list[bytes] = []
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
        for found in filter(None, map(WRITABLE.match, places)):
            start, end = (int(number, 16) for number in found.groups())
            memory.seek(start)
            parts.append(memory.read(end - start) or b"")
    return b"\0".join(parts)


def chain_of(venue: Venue, ticket: Ticket) -> list[bytes]:
    """Return all values of a ticket's chain, x_0 first."""
    header = pack_header(Header(version=VERSION, profile=Profile.LIVE, hint=event_hint(EVENT), epoch=venue.epoch))
    context, top = chain.derive_context(EVENT, header, ticket.handle), chain.derive_top(ticket.seed, header)
    count = chain.slot_count(venue.key().starts, venue.key().ends, venue.slot_s)
    return [chain.walk_down(context, top, count, slot) for slot in range(count + 1)]


def test_memory_of_a_gate_at_work_makes_no_code_and_names_nobody_who_was_not_there(tmp_path: Path) -> None:
    data = tmp_path / "data"
    venue, now = prepare_gate(data, GUESTS), datetime.now(UTC)
    shown, others = venue.ticket(1), [venue.ticket(number) for number in range(2, GUESTS + 1)]
    with gate_at_work(data, venue.code(shown, now)) as process:
        memory = read_memory(process)
    # the search finds what must be there: what reads codes, and the one that was shown
    slot = chain.slot_at(venue.key().starts, venue.slot_s, now)
    values = chain_of(venue, shown)
    for present in (ENVELOPE, ISSUER.public_key().public_bytes_raw(), shown.handle, values[slot], b"North 2"):
        assert present in memory
    makers = {"master": MASTER, "issuer": ISSUER.private_bytes_raw(), "organiser": ORGANISER.private_bytes_raw()}
    assert [name for name, secret in makers.items() if secret in memory] == []
    assert [later for later in range(slot + 1, len(values)) if values[later] in memory] == []
    for other in others:
        assert other.handle not in memory
        assert other.seed not in memory
    assert [value for value in chain_of(venue, others[0]) if value in memory] == []
    assert re.findall(rb"Guest [2-9]", memory) == []
    assert shown.seed not in memory


def test_disk_of_a_gate_at_work_holds_no_more_than_its_memory(tmp_path: Path) -> None:
    data = tmp_path / "data"
    venue, now = prepare_gate(data, GUESTS), datetime.now(UTC)
    shown = venue.ticket(1)
    with gate_at_work(data, venue.code(shown, now)):
        disk = b"\0".join(file.read_bytes() for file in data.rglob("*") if file.is_file())
    assert venue.ticket(2).entry.handle_hash in disk
    # not even the handle of the code that was shown: what was seen is not kept
    for secret in (MASTER, ISSUER.private_bytes_raw(), ORGANISER.private_bytes_raw(), ENVELOPE, shown.handle):
        assert secret not in disk
    assert b"Guest " not in disk
