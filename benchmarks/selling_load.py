"""REST as people and doors use it: buying, looking at one's tickets, showing a code, checking in; each at a steady rate.

Every kind of call is made in an open loop over HTTP, then by the use case alone, without HTTP, and then pgbench runs what it is to
PostgreSQL at the same rate: the same statements for what reads, the least that an order is for what sells. That is the limit.
Server and client share one process, and PostgreSQL is durable.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import msgspec
from msgspec import Struct

from benchmarks import bare_sql
from benchmarks.bare_sql import Work, fill, in_tenant
from benchmarks.busy_server import publication_of
from benchmarks.open_loop import Call, run_open_loop, three_rows
from benchmarks.report import Report, Row, describe_machine, make_parser, show, tell, tickets_wanted
from server.db.statements import load_statements
from server.domain.access import Role, User
from server.embedded_stack import EmbeddedServer, embedded_server
from server.services import checkin, holdings, page_marks, purchase, reserve, show_code
from server.services.publish import Publication, publish_event
from server.settings import EmbeddedSettings, Payments
from server.settings_chain import ChainPlan
from shared.ids import TicketId, UserId
from shared.logs import configure_logs

_PAGE = 100
_LISTED = 20
_FAR = 1000
"""The page that is to cost what the first one does."""
_PURPOSE = "Buying, listing, showing and checking in over REST, at a steady rate, against the same work without HTTP."
_EXAMPLES = """  python -m benchmarks.selling_load
  python -m benchmarks.selling_load --tickets 10000 --json"""


class Bench(Struct, frozen=True, kw_only=True, eq=False):
    """A server with an event on sale, and somebody with very many tickets of it."""

    server: EmbeddedServer
    session: aiohttp.ClientSession
    publication: Publication
    rich: User
    tickets: list[TicketId]

    def user(self, role: Role = Role.CUSTOMER) -> User:
        """Return somebody new."""
        return User(tenant=self.publication.tenant, user=UserId(uuid4()), role=role)

    async def call(self, user: User, method: str, path: str, body: object = None) -> bytes:
        """Make a call that must succeed and return its answer."""
        token = self.server.make_token(user.tenant, user.user, user.role.value, "")
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": os.urandom(16).hex()}
        async with self.session.request(method, path, json=body, headers=headers) as answer:
            answer.raise_for_status()
            return await answer.read()

    def wish(self, number: int) -> reserve.ReserveRequest:
        """Return what the n-th buyer wants: one place, of each type in turn."""
        kind = self.publication.types[number % len(self.publication.types)].id
        line = reserve.WishedLine(ticket_type_id=kind, quantity=1)
        return reserve.ReserveRequest(event_id=self.publication.event, tickets=[line])

    async def order(self, number: int) -> None:
        """Reserve and buy over HTTP."""
        buyer = self.user()
        wanted = msgspec.to_builtins(self.wish(number))
        held = msgspec.json.decode(await self.call(buyer, "POST", "/api/v1/tickets/reserve", wanted))
        paid = {"reservationId": held["reservationId"], "paymentId": payment_of(held["totalCents"])}
        await self.call(buyer, "POST", "/api/v1/tickets/purchase", paid)

    async def order_bare(self, number: int) -> None:
        """Reserve and buy without HTTP."""
        buyer, parts = self.user(), self.server.running.parts
        held = await reserve.reserve(parts.context, buyer, uuid4().hex, self.wish(number))
        answer = msgspec.json.decode(held.body)
        paid = {"reservationId": answer["reservationId"], "paymentId": payment_of(answer["totalCents"])}
        request = msgspec.convert(paid, purchase.PurchaseRequest)
        await purchase.purchase(parts.context, parts.payments, buyer, uuid4().hex, request)

    def page(self, number: int) -> Call:
        """Return how a page of the rich one's tickets is asked for."""

        async def ask(_: int) -> None:
            await self.call(self.rich, "GET", f"/api/v1/tickets?limit={_LISTED}&page={number}")

        return ask

    async def events(self, _: int) -> None:
        """List what is on sale over HTTP."""
        await self.call(self.rich, "GET", "/api/v1/events")

    async def ticket(self, number: int) -> None:
        """Look at one ticket over HTTP."""
        await self.call(self.rich, "GET", f"/api/v1/tickets/{self.tickets[number % len(self.tickets)]}")

    async def page_bare(self, _: int) -> None:
        """List the first page without HTTP."""
        wish = page_marks.Wish(limit=_LISTED)
        await holdings.list_tickets(self.server.running.parts.context, self.rich, wish)

    async def code(self, number: int) -> None:
        """Show a code over HTTP."""
        await self.call(self.rich, "GET", f"/api/v1/tickets/{self.tickets[number % len(self.tickets)]}/qr")

    async def code_bare(self, number: int) -> None:
        """Show a code without HTTP."""
        parts = self.server.running.parts
        await show_code.show_code(parts.context, parts.mint, self.rich, self.tickets[number % len(self.tickets)])


def payment_of(cents: int) -> str:
    """Return a reference with which the demonstration provider counts a sum as paid."""
    return f"demo_{cents}_EUR_{os.urandom(8).hex()}"


async def check_all_in(bench: Bench, count: int, per_second: float) -> list[float]:
    """Check tickets in over HTTP, each with a code fetched before."""
    parts, door = bench.server.running.parts, bench.user(Role.DOOR_STAFF)
    some = bench.tickets[:count]
    codes = [(await show_code.show_code(parts.context, parts.mint, bench.rich, one)).qr_data for one in some]

    async def check_in(number: int) -> None:
        await bench.call(door, "POST", f"/api/v1/tickets/{some[number]}/checkin", {"code": codes[number]})

    return await run_open_loop(check_in, len(some), per_second)


async def check_all_in_bare(bench: Bench, count: int, per_second: float) -> list[float]:
    """Check other tickets in without HTTP."""
    parts, door = bench.server.running.parts, bench.user(Role.DOOR_STAFF)
    some = bench.tickets[-count:]
    codes = [(await show_code.show_code(parts.context, parts.mint, bench.rich, one)).qr_data for one in some]

    async def check_in(number: int) -> None:
        request = checkin.CheckinRequest(code=codes[number])
        await checkin.check_in(parts.context, door, some[number], request)

    return await run_open_loop(check_in, len(some), per_second)


@asynccontextmanager
async def open_bench(place: Path, tickets: int, chain: ChainPlan | None = None) -> AsyncIterator[Bench]:
    """Serve an event and give somebody all those tickets; with a chain the server mints as well."""
    settings = EmbeddedSettings(payments=Payments.DEMO, rate_limits="off")
    async with (
        embedded_server(place, settings, chain=chain) as server,
        aiohttp.ClientSession(server.base_url) as session,
    ):
        publication = publication_of(2 * tickets + 20_000)
        await publish_event(server.running.parts.context, publication)
        rich = User(tenant=publication.tenant, user=UserId(uuid4()), role=Role.CUSTOMER)
        bench = Bench(server=server, session=session, publication=publication, rich=rich, tickets=[])
        await give(bench, tickets)
        await count_anew(server)
        yield bench


async def count_anew(server: EmbeddedServer) -> None:
    """Have PostgreSQL see how large its tables have become, as it does by itself within a minute."""
    connection = await asyncpg.connect(server.cluster.cluster.owner_dsn)
    try:
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


async def give(bench: Bench, tickets: int) -> None:
    """Issue tickets to the rich one, a hundred at a time."""
    office = bench.user(Role.BOX_OFFICE)
    line = {"ticketTypeId": str(bench.publication.types[0].id), "ownerId": str(bench.rich.user)}
    kinds = [line | {"ticketTypeId": str(one.id)} for one in bench.publication.types]
    for begin in range(0, tickets, _PAGE):
        lines = [kinds[number % len(kinds)] for number in range(begin, min(begin + _PAGE, tickets))]
        path = f"/api/v1/events/{bench.publication.event}/tickets/issue"
        answer = msgspec.json.decode(await bench.call(office, "POST", path, {"tickets": lines, "reason": "benchmark"}))
        bench.tickets.extend(TicketId(msgspec.convert(one["ticketId"], TicketId)) for one in answer["tickets"])
        if len(bench.tickets) % 10_000 == 0:
            tell(f"{len(bench.tickets)} of {tickets} tickets issued")


async def measure(bench: Bench, calls: int, place: Path) -> list[Row]:
    """Measure every kind of call over HTTP and without, and its statements alone."""
    far = min(_FAR, max(1, len(bench.tickets) // _LISTED))
    plans: list[tuple[str, Call, float]] = [
        ("reserve and purchase", bench.order, 20.0),
        ("reserve and purchase, without HTTP", bench.order_bare, 20.0),
        ("tickets, page 1", bench.page(1), 50.0),
        (f"tickets, page {far}", bench.page(far), 50.0),
        ("tickets, page 1, without HTTP", bench.page_bare, 50.0),
        ("events", bench.events, 50.0),
        ("one ticket", bench.ticket, 50.0),
        ("show a code", bench.code, 50.0),
        ("show a code, without HTTP", bench.code_bare, 50.0),
    ]
    rows: list[Row] = []
    for what, call, rate in plans:
        tell(f"{what}: {calls} calls, {rate:g} a second")
        rows += three_rows(what, await run_open_loop(call, calls, rate))
    count = min(calls, len(bench.tickets) // 2)
    rows += three_rows("check in", await check_all_in(bench, count, 20.0))
    rows += three_rows("check in, without HTTP", await check_all_in_bare(bench, count, 20.0))
    return rows + await measure_bare(bench, calls, place)


async def measure_bare(bench: Bench, calls: int, place: Path) -> list[Row]:
    """Measure what the calls are to PostgreSQL, at the same rates."""
    rows = []
    for number, (what, script, rate) in enumerate(bare_scripts(bench)):
        tell(f"pgbench: {what}")
        work = Work(scripts=[script], clients=8, seconds=max(1, round(calls / rate)), rate=rate)
        bare = await bare_sql.pgbench(bench.server.cluster.cluster.app_dsn, place / str(number), work)
        rows += three_rows(f"pgbench, {what}", bare.took_ms)
    return rows


def bare_scripts(bench: Bench) -> list[tuple[str, str, float]]:
    """Return what calls are to PostgreSQL: their names, scripts and rates."""
    publication, owner, ticket = bench.publication, bench.rich.user, bench.tickets[0]
    kind = publication.types[0].id
    names = {"tenant": publication.tenant, "event": publication.event, "type": kind}
    here = Path(__file__)
    tickets, events = load_statements("tickets.sql"), load_statements("events.sql")
    page = fill(tickets["search_tickets"], owner, None, UUID(int=2**128 - 1), 0, _LISTED + 1)
    code = [
        fill(tickets["get_ticket"], ticket),
        fill(events["get_event"], publication.event),
        fill(load_statements("stock.sql")["get_ticket_type"], kind),
        fill(load_statements("keys.sql")["list_keys"], "master"),
    ]
    check_in = here.with_name("check_in.sql").read_text(encoding="utf-8")
    return [
        ("an order", here.with_name("order.sql").read_text(encoding="utf-8").format(**names), 20.0),
        ("tickets, page 1", in_tenant(publication.tenant, [page]), 50.0),
        ("one ticket", in_tenant(publication.tenant, [fill(tickets["held_ticket"], ticket)]), 50.0),
        ("show a code", in_tenant(publication.tenant, code), 50.0),
        ("check in", check_in.format(tenant=publication.tenant, ticket=bench.tickets[-1]), 20.0),
    ]


async def run(place: Path, *, tickets: int, calls: int) -> Report:
    """Set everything up in a directory and measure."""
    async with open_bench(place / "data", tickets) as bench:
        rows = await measure(bench, calls, place / "bare")
    notes = {
        "one account": f"{tickets} tickets, {_LISTED} on a page",
        "rates": "20 orders and check-ins a second, 50 of the rest; open loop",
        "durable": "yes; client, server and the bare calls share one process",
    }
    return Report(benchmark="selling_load", machine=describe_machine(), notes=notes, rows=rows)


def main() -> None:
    """Run from the command line."""
    parser = make_parser("selling_load", _PURPOSE, _EXAMPLES)
    arguments = parser.parse_args()
    calls = 20 if arguments.quick else 300
    configure_logs("error")
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)  # the database runs as another account when this one is root
        report = asyncio.run(run(Path(place), tickets=tickets_wanted(arguments), calls=calls))
    show(report, as_json=arguments.json)


if __name__ == "__main__":
    main()
