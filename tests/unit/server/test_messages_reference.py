"""The reference of messages names what there is: every key, every field, every outcome and refusal, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import fields

from server.bus.topology import TICKETS
from server.services import burn, domain_events
from server.services.order_messages import FORMS
from server.services.payment_facts import Effect
from server.services.ports_bus import Envelope, TicketFact

REFERENCE = (Path(__file__).parents[3] / "docs" / "reference" / "messages.md").read_text(encoding="utf-8")
OURS = {*TicketFact, domain_events.RESERVATION_RELEASED, domain_events.REFUND_REQUESTED, burn.BURN_REQUESTED}
FORMS_OF: dict[str, type[Struct]] = {
    "The envelope": Envelope,
    "ticket": domain_events.TicketPayload,
    "reservation": domain_events.ReservationPayload,
    "release": domain_events.ReleasePayload,
    "refund": domain_events.RefundPayload,
    "burn": burn.BurnPayload,
}


def part(title: str) -> str:
    """Return the text under a heading, up to the next one."""
    found = re.search(rf"^##+ {re.escape(title)}$(.*?)(?=^##|\Z)", REFERENCE, flags=re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def first_cells(text: str) -> set[str]:
    """Return what stands in code in the first cells of a part's tables."""
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_key_that_is_told_is_named() -> None:
    assert first_cells(part("What is told")) == {str(key) for key in OURS}


@pytest.mark.parametrize("title", FORMS_OF)
def test_every_field_is_named(title: str) -> None:
    assert first_cells(part(title)) == {field.encode_name for field in fields(FORMS_OF[title])}


def test_every_message_that_is_heard_is_named_with_its_fields() -> None:
    heard = part("What is heard")
    assert first_cells(heard) == {*FORMS, *Effect, "outcome"}
    for key, form in FORMS.items():
        (row,) = [line for line in heard.splitlines() if line.startswith(f"| `{key}`")]
        named = set(re.findall(r"`(\w+)`", row.split("|")[2]))
        assert named == {field.encode_name for field in fields(form)}, key


def test_every_exchange_and_queue_is_named() -> None:
    there = {one.name for one in TICKETS.exchanges} | {one.name for one in TICKETS.queues}
    assert first_cells(part("What this program declares")) == there
