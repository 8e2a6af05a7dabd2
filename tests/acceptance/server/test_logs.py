"""What a whole evening leaves in the logs: lines of JSON, one trace from the till to the gate and back, nobody's secrets."""

from __future__ import annotations

import json
import secrets
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from msgspec import Struct

from server.demo.box_office import BoxOffice, Buyer, Json
from server.domain.access import Role
from tests.acceptance.server.evening_load import EVENT, Crowd, Gate, open_gate
from tests.acceptance.server.program import served
from tests.acceptance.server.test_given_database import environ_of
from tests.conftest import Databases

TRACE = "0123456789abcdef0123456789abcdef"
NAME = "Wilhelmina Grzegorzewska"
EMAIL = "wilhelmina.g@example.org"
PIN = "8305271946"


class Evening(Struct, kw_only=True, eq=False):
    """What happened, and everything that must not be told."""

    crowd: Crowd
    gate: Gate
    hidden: set[str]

    async def call(self, method: str, path: str, token: str, body: Json | None = None) -> Json:
        """Call, and remember what may not be told of it."""
        self.hidden.add(token)
        return await self.crowd.office.call(method, path, token, body)


async def buy(evening: Evening, url: str) -> str:
    """Buy a ticket under one trace, walk in with it, and hand another on; return what the gate saw."""
    buyer = Buyer(user=uuid4(), email=EMAIL, token=evening.crowd.token(uuid4()))
    headers = {"traceparent": f"00-{TRACE}-0123456789abcdef-01"}
    async with aiohttp.ClientSession(headers=headers) as traced:
        [ticket] = await BoxOffice(url, traced).buy(buyer, EVENT.event, EVENT.types[0].id, 1)
    phone = await evening.crowd.office.fetch_wallet(buyer, ticket)
    evening.hidden |= {phone.seed, *(one.capsule for one in phone.capsules), *(one.context for one in phone.capsules)}
    code = phone.show(datetime.now(UTC))
    evening.hidden |= {code, buyer.token}
    assert (await evening.gate.show(code)).admitted
    assert not (await evening.gate.show("TT1:NOT A CODE OF OURS")).admitted
    [other] = await evening.crowd.office.buy(buyer, EVENT.event, EVENT.types[0].id, 1)
    link = await evening.call("POST", f"/api/v1/tickets/{other}/link", buyer.token)
    signed = str(link["url"]).rpartition("/")[2]
    evening.hidden.add(signed)
    await evening.crowd.office.ask("GET", f"/t/{signed}/wallet", buyer.token)
    offer: Json = {"recipientEmail": EMAIL, "message": f"for {NAME}"}
    await evening.call("POST", f"/api/v1/tickets/{other}/transfer", buyer.token, offer)
    return ticket


async def organise(evening: Evening) -> None:
    """Name people, make keys and PINs."""
    organiser = evening.crowd.organiser()
    admin = evening.crowd.token(uuid4(), Role.ADMIN)
    made = await evening.call(
        "POST", "/api/v1/api-keys", admin, {"name": f"of {NAME}", "scopes": ["scans:read"], "eventId": str(EVENT.event)}
    )
    evening.hidden.add(str(made["key"]))
    await evening.call("POST", "/api/v1/supervisors", organiser, {"name": NAME, "pin": PIN})
    lines: list[Json] = [{"ticketTypeId": str(EVENT.types[0].id), "holderName": NAME}]
    wish: Json = {"tickets": lines, "reason": "guests of the house"}
    await evening.call("POST", f"/api/v1/events/{EVENT.event}/tickets/issue", organiser, wish)


async def go_wrong(evening: Evening) -> None:
    """Send what is refused, with secrets in every place where one could be put by mistake."""
    wrong = f"{evening.crowd.organiser()[:-4]}AAAA"
    evening.hidden.add(wrong)
    ask = evening.crowd.office.ask
    assert (await ask("GET", "/api/v1/gates", wrong))[0] == 401
    assert (await ask("GET", f"/api/v1/tickets/{EMAIL}", evening.crowd.organiser()))[0] >= 400
    assert (await ask("GET", f"/nowhere/{EMAIL}?name={NAME}", wrong))[0] == 404
    body: Json = {"name": NAME, "pin": PIN, "email": EMAIL}
    assert (await ask("POST", "/api/v1/supervisors", evening.crowd.organiser(), body))[0] == 400
    assert (await ask("POST", "/gate/v1/enrol", wrong, {"code": PIN}))[0] >= 400


def read_lines(errors: str) -> list[dict[str, Any]]:
    """Return the lines of a log; the last words of a program are for people."""
    return [json.loads(line) for line in errors.splitlines() if line != "stopped"]


def follow(trace: str, server: list[dict[str, Any]], gate: list[dict[str, Any]]) -> None:
    """Follow a trace from the request to the feed, to the gate that knew of it, and back with the scan."""
    requests = [line for line in server if line["event"] == "http.request" and line["trace"] == trace]
    assert [line["route"] for line in requests] == ["/api/v1/tickets/reserve", "/api/v1/tickets/purchase"]
    numbered = [line for line in server if line["event"] == "feed.numbered" and trace in line["traces"]]
    assert len(numbered) == 1
    decided = next(line for line in gate if line["event"] == "scan.decided")
    assert (decided["reason"], decided["feed_seq"] >= numbered[0]["last"]) == ("ok", True)
    taken = [line for line in server if line["event"] == "scans.taken" and line["upto"] >= decided["gate_seq"]]
    assert taken
    # The gate's own calls have traces too, which both sides know.
    asked = {line["trace"] for line in gate if line["event"] == "server.asked"}
    heard = {line["trace"] for line in server if line["event"] == "http.request" and "gate" in line}
    assert heard
    assert heard <= asked


async def test_an_evening_is_logged_in_lines_that_give_nobody_away(database: Databases, tmp_path: Path) -> None:
    environ = environ_of(database) | {
        "PAYMENTS": "demo",
        "LOG_LEVEL": "debug",
        "METRICS_PORT": "0",
        "METRICS_TOKEN": secrets.token_hex(20),
        "INTERNAL_SERVICE_SECRET": secrets.token_hex(20),
    }
    async with aiohttp.ClientSession() as session, served("--seed", **environ) as server:
        crowd = Crowd(server.base_url, environ["JWT_SECRET"], session)
        enrolment = await crowd.office.enrolment_code(crowd.organiser(), EVENT.event, NAME)
        told = {"TICKETTOKEN_GATE_LOG_LEVEL": "debug"}
        gate = await open_gate(crowd, server.base_url, tmp_path / "gate", code=enrolment, **told)
        evening = Evening(crowd=crowd, gate=gate, hidden={NAME, EMAIL, PIN, enrolment, *environ.values()})
        evening.hidden -= {"demo", "debug", "0"}
        await organise(evening)
        await buy(evening, server.base_url)
        await go_wrong(evening)
        status, said = await gate.stop()
        assert status == 0, said
        status, errors = await server.stop(signal.SIGTERM)
    assert status == 0, errors
    lines, gate_lines = read_lines(errors), read_lines(said)
    follow(TRACE, lines, gate_lines)
    assert {"level", "timestamp", "event"} <= set.intersection(*(set(line) for line in lines + gate_lines))
    both = errors + said
    shown = [secret for secret in evening.hidden if secret in both or secret.replace(" ", "+") in both]
    assert shown == []
    for part in (*NAME.split(), EMAIL.partition("@")[0]):
        assert part not in both
