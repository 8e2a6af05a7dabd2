"""`tickettoken tenants`, `events` and `tickets` do what the served calls do, and say it plainly."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import msgspec
import pytest
import structlog

from server.cli import build_parser
from server.cli_office import plain
from server.domain.access import Role, User
from server.parts import Parts, ServerPlan, open_parts
from server.seed import SeededEvent, seed
from server.services.audit import list_deeds
from server.services.issue import IssueLine, IssueRequest, issue
from server.services.problems import EventUnknown, TicketUnknown
from server.services.problems_organiser import EventNotOver, EventStateWrong, TenantUnknown
from server.services.rows import Page
from server.services.rows_staff import Via
from shared.codes.keys import parse_key_ring
from shared.settings import Secret
from shared.tickets.lifecycle import TransitionInvalid
from tests.conftest import Databases
from tests.integration.server.organiser.office import Json

KEY = "q8Zr1vXw4mTn7LkJ3hGf6dSa9pYo2cBe"
JWT_SECRET = "0123456789abcdef" * 4


class Console:
    """A terminal at which commands are typed."""

    def __init__(self, database: Databases, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._environ = {
            "DATABASE_URL": database.app_dsn,
            "WORKER_DATABASE_URL": database.worker_dsn,
            "JWT_SECRET": JWT_SECRET,
            "QR_ENCRYPTION_KEY": KEY,
        }

    async def run(self, *words: object) -> str:
        """Run a command that must succeed and return what it printed."""
        self._capsys.readouterr()
        assert await asyncio.to_thread(self._run, [str(word) for word in words]) == 0
        return self._capsys.readouterr().out

    async def json(self, *words: object) -> Json:
        """Run a command for a script."""
        return msgspec.json.decode(await self.run(*words, "--json"), type=Json)

    def _run(self, words: list[str]) -> int:
        arguments = build_parser().parse_args(words)
        module, _, function = arguments.run.partition(":")
        return int(getattr(importlib.import_module(module), function)(arguments, self._environ))


@pytest.fixture
def console(database: Databases, capsys: pytest.CaptureFixture[str]) -> Iterator[Console]:
    """Give a terminal, and the next test its logs back: a command sets them up for its own process."""
    yield Console(database, capsys)
    structlog.reset_defaults()


@pytest.fixture
async def parts(database: Databases) -> AsyncIterator[Parts]:
    """Give the parts of the same installation."""
    plan = ServerPlan(
        app_dsn=database.app_dsn,
        worker_dsn=database.worker_dsn,
        jwt_secret=Secret(JWT_SECRET),
        ring=parse_key_ring(KEY),
    )
    async with open_parts(plan) as opened:
        yield opened


async def issued(parts: Parts, event: SeededEvent, count: int) -> list[str]:
    """Give some tickets away."""
    lines = [IssueLine(ticket_type_id=event.types[0].id, holder_name="Ada")] * count
    request = IssueRequest(tickets=lines, reason="guest list")
    answer = await issue(parts.context, _organiser_of(event), uuid4().hex, event.event, request)
    made = msgspec.json.decode(answer.body, type=dict[str, object])["tickets"]
    return [one["ticketId"] for one in msgspec.convert(made, list[dict[str, str]])]


async def test_tenants_are_added_once_and_listed(console: Console) -> None:
    assert "no tenants yet" in await console.run("tenants", "list")
    made = await console.json("tenants", "add", "Harbour Nights")
    assert made["added"] is True
    again = await console.run("tenants", "add", "Another name", "--id", made["id"])
    assert "Harbour Nights" in again
    assert "was there already" in again
    assert await console.run("tenants", "list") == f"{made['id']}  Harbour Nights\n"


async def test_events_are_listed_and_shown(console: Console, parts: Parts) -> None:
    assert "no events yet" in await console.run("events", "list")
    seeds = await seed(parts.context)
    listed = await console.run("events", "list")
    assert len(listed.splitlines()) == 2
    assert seeds.main.event_name in listed
    assert len((await console.run("events", "list", "--limit", 1)).splitlines()) == 1
    only = await console.run("events", "list", "--tenant", seeds.other.tenant)
    assert seeds.main.event_name not in only
    shown = await console.run("events", "show", seeds.main.event)
    assert "3800 free, 0 held, 0 sold" in shown
    body = await console.json("events", "show", seeds.main.event)
    assert body["tenantId"] == str(seeds.main.tenant)
    with pytest.raises(EventUnknown):
        await console.run("events", "show", uuid4())
    with pytest.raises(TenantUnknown):
        await console.run("events", "list", "--tenant", uuid4())
    with pytest.raises(EventStateWrong):
        await console.run("events", "open", seeds.main.event)


async def test_event_is_called_off_and_its_tickets_with_it(console: Console, parts: Parts) -> None:
    seeds = await seed(parts.context)
    tickets = await issued(parts, seeds.main, 3)
    with pytest.raises(EventNotOver):
        await console.run("events", "close", seeds.main.event)
    said = await console.run("events", "cancel", seeds.main.event, "--reason", "storm")
    assert "3 of 3 tickets ended: 3 cancelled" in said
    again = await console.json("events", "cancel", seeds.main.event, "--reason", "storm")
    assert (again["state"], again["cancelled"]) == ("done", 3)
    shown = await console.json("tickets", "show", tickets[0])
    history = msgspec.convert(shown["history"], list[Json])
    assert (shown["status"], history[-1]["source"], history[-1]["actorId"]) == ("cancelled", "cli", "cli")


async def test_event_is_closed_early_with_force(console: Console, parts: Parts) -> None:
    seeds = await seed(parts.context)
    await issued(parts, seeds.other, 2)
    words = ("events", "close", seeds.other.event, "--force", "--reason", "power cut")
    assert "2 of 2 tickets ended: 2 expired" in await console.run(*words)


async def test_ticket_is_shown_made_anew_and_taken_back(console: Console, parts: Parts) -> None:
    seeds = await seed(parts.context)
    (ticket,) = await issued(parts, seeds.main, 1)
    assert "sold -> active (guest list)" in await console.run("tickets", "show", ticket)
    words = ("tickets", "reissue", ticket, "--reason", "lost phone", "--holder-name", "Zoë")
    assert "generation 1 counts" in await console.run(*words)
    assert "Zoë" in await console.run("tickets", "show", ticket)
    revoked = await console.json("tickets", "revoke", ticket, "--reason", "chargeback")
    assert revoked["status"] == "revoked"
    with pytest.raises(TransitionInvalid):
        await console.run("tickets", "revoke", ticket, "--reason", "chargeback")
    with pytest.raises(TicketUnknown):
        await console.run("tickets", "show", uuid4())
    # noted at the organiser whose ticket it is, of the two there are, and without the holder's name
    noted = await list_deeds(parts.context, seeds.main.tenant, seeds.main.event, Page(limit=9))
    assert [(one.action, one.subject, one.detail, one.outcome, one.via) for one in noted.items] == [
        ("ticket.revoke", ticket, "reason: chargeback", TransitionInvalid.code, Via.COMMAND),
        ("ticket.revoke", ticket, "reason: chargeback", "done", Via.COMMAND),
        ("ticket.reissue", ticket, "reason: lost phone", "done", Via.COMMAND),
    ]
    assert (await list_deeds(parts.context, seeds.other.tenant, None, Page(limit=9))).items == []


def test_names_cannot_move_the_cursor() -> None:
    assert plain("a\x1b[2Jb\u202ec\n") == "a\ufffd[2Jb\ufffdc\ufffd"
    assert plain("Zoë 夏") == "Zoë 夏"


def _organiser_of(event: SeededEvent) -> User:
    return User(tenant=event.tenant, user=event.organiser, role=Role.VENUE_MANAGER)
