"""A ticket server with an event on sale, run as the program it is, and its customers and organiser as clients."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

import aiohttp
from msgspec import Struct

from server.auth.user_token import UserTokens
from server.demo.box_office import BoxOffice, Buyer, Json
from server.demo.phones import Phone
from server.domain.access import Role, User
from server.embedded.placement import remove_place
from server.embedded_stack import load_secrets
from server.seed import SeededEvent, name_seeds
from server.settings import EmbeddedSettings
from shared.clock import SystemClock
from shared.ids import TenantId, UserId
from tests.acceptance.programs import bare_environment, server_command

_PER_ORDER = 10
AnswerT = TypeVar("AnswerT")


class House(Struct, frozen=True, kw_only=True, eq=False):
    """A running server and the event it sells."""

    base_url: str
    data: Path
    tokens: UserTokens
    event: SeededEvent
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        """Return where it listens."""
        return int(self.base_url.rpartition(":")[2])

    @property
    def owner_dsn(self) -> str:
        """Return how the schema's owner reaches the database."""
        port = (self.data / "pg" / "postmaster.pid").read_text().splitlines()[3]
        password = json.loads((self.data / "role-passwords.json").read_text())["tt_owner"]
        return f"postgresql://tt_owner:{password}@127.0.0.1:{port}/tickettoken"

    def ask(self, work: Callable[[BoxOffice], Awaitable[AnswerT]]) -> AnswerT:
        """Do something as a client of the server; for tests without a loop of their own."""

        async def asked() -> AnswerT:
            async with aiohttp.ClientSession() as session:
                return await work(BoxOffice(self.base_url, session))

        return asyncio.run(asked())

    def organiser(self) -> str:
        """Return the organiser's token."""
        return self.tokens.make(
            User(tenant=self.event.tenant, user=self.event.organiser, role=Role.VENUE_MANAGER, email=None)
        )

    def enrolment_code(self, gate: str) -> str:
        """Return a fresh one-time code."""
        return self.ask(lambda office: office.enrolment_code(self.organiser(), self.event.event, gate))

    async def buy_phones(self, office: BoxOffice, count: int) -> list[Phone]:
        """Sell tickets of the first type, ten to a customer; return everybody's phones."""
        phones: list[Phone] = []
        while len(phones) < count:
            buyer = self._new_buyer()
            places = min(_PER_ORDER, count - len(phones))
            tickets = await office.buy(buyer, self.event.event, self.event.types[0].id, places)
            phones += [await office.fetch_wallet(buyer, ticket) for ticket in tickets]
        return phones

    async def read_all(self, office: BoxOffice, what: str) -> list[Json]:
        """Return every item of one of the organiser's lists, page by page."""
        items: list[Json] = []
        cursor = ""
        while True:
            page = await office.call(
                "GET", f"/api/v1/events/{self.event.event}/{what}?limit=100{cursor}", self.organiser()
            )
            listed, paging = page["items"], page["pagination"]
            assert isinstance(listed, list)
            assert isinstance(paging, dict)
            items += listed
            if not paging["hasMore"]:
                return items
            cursor = f"&cursor={paging['nextCursor']}"

    async def figures(self, office: BoxOffice) -> Json:
        """Return the event's figures as the organiser sees them."""
        return await office.call("GET", f"/api/v1/events/{self.event.event}/stats", self.organiser())

    def _new_buyer(self) -> Buyer:
        user = uuid4()
        return Buyer(user=user, email="", token=self.tokens.make(_customer(self.event.tenant, user)))


def _customer(tenant: TenantId, user: UUID) -> User:
    return User(tenant=tenant, user=UserId(user), role=Role.CUSTOMER, email=None)


@contextmanager
def fresh_place() -> Iterator[Path]:
    """Give an empty directory that the database's account may pass, and remove it with all that belongs to it."""
    place = Path(tempfile.mkdtemp(prefix="tickettoken-test-"))
    place.chmod(0o711)
    try:
        yield place
    finally:
        for data in place.iterdir():
            remove_place(data)
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def open_house(data: Path) -> Iterator[House]:
    """Run a seeded server on a free port until the context ends."""
    command = server_command("serve", "--embedded", "--data", str(data), "--port", "0", "--seed")
    with (data.parent / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=bare_environment(PAYMENTS="demo")
        )
    try:
        yield House(
            base_url=_hear_address(process),
            data=data,
            tokens=UserTokens(load_secrets(data, EmbeddedSettings()).jwt_secret, SystemClock()),
            event=name_seeds().main,
            process=process,
        )
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _hear_address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("listening on "):
            return line.removeprefix("listening on ").strip()
    raise AssertionError("the server ended before it listened")
