"""One audit log for the page, the API and the command line: who did what to what, when, by which way; each tenant's its own."""

from __future__ import annotations

import csv
import io
import json
from uuid import uuid4

import aiohttp
import msgspec

from server.domain.access import Role, User
from server.services.audit import list_deeds
from server.services.rows import Page
from server.services.rows_staff import AuditRow, Via
from shared.ids import TenantId, UserId
from tests.browser.evening import Evening
from tests.integration.server.operations.desk import Desk

TRACE = "0af7651916cd43dd8448eb211c80319c"


class Organiser:
    """Somebody with a token who may do everything at their own tenant."""

    def __init__(self, evening: Evening, session: aiohttp.ClientSession, tenant: TenantId | None = None) -> None:
        self.id = UserId(uuid4())
        user = User(tenant=tenant or evening.stage.tenant, user=self.id, role=Role.ADMIN)
        self._headers = {
            "Authorization": f"Bearer {evening.parts.tokens.make(user)}",
            "traceparent": f"00-{TRACE}-b7ad6b7169203331-01",
        }
        self._evening, self._session = evening, session

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
        """Call the API."""
        sent = self._headers | {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else msgspec.json.encode(body)
        if data is not None:
            sent["Content-Type"] = "application/json"
        url = self._evening.running.base_url + path
        async with self._session.request(method, url, data=data, headers=sent) as answer:
            return answer.status, await answer.read()


async def deeds(evening: Evening) -> list[AuditRow]:
    """Return what is noted, the oldest first."""
    listed = await list_deeds(evening.parts.context, evening.stage.tenant, None, Page(limit=100))
    return listed.items[::-1]


async def test_calls_and_pages_leave_entries_in_one_log(desk: Desk) -> None:
    evening = desk.evening
    organiser = Organiser(evening, desk.session)
    (ticket,) = await evening.sell((1, 0, 0))
    gate = await evening.stage.enrol("North")
    one = f"/api/v1/tickets/{ticket.id}"
    assert (await organiser.call("POST", f"{one}/lock", {"reason": "fraud"}))[0] == 200
    assert (await organiser.call("POST", f"{one}/lock", {"reason": "fraud"}))[0] == 409
    assert (await organiser.call("POST", f"{one}/lock", {"reason": 7}))[0] == 400
    order = {"kind": "message", "text": "two more lanes"}
    commands = f"/api/v1/gates/{gate.id}/commands"
    assert (await organiser.call("POST", commands, order, Idempotency_Key=str(uuid4())))[0] == 202
    person = {"name": "Anna", "pin": "730518"}
    assert (await organiser.call("POST", "/api/v1/supervisors", person))[0] == 201
    assert (await organiser.call("GET", f"/api/v1/gates/{gate.id}"))[0] == 200
    await desk.sign_in()
    await desk.act(f"/ops/tickets/{ticket.id}/unlock", reason="settled")
    noted = await deeds(evening)
    assert [(row.via, row.action, row.subject, row.detail, row.outcome) for row in noted] == [
        (Via.API, "ticket.lock", str(ticket.id), "reason: fraud", "done"),
        (Via.API, "ticket.lock", str(ticket.id), "reason: fraud", "ticket_lock_unchanged"),
        (Via.API, "ticket.lock", str(ticket.id), "reason: 7", "request_invalid"),
        (Via.API, "gate.command", str(gate.id), "kind: message, text: two more lanes", "done"),
        (Via.API, "supervisor.create", "", "name: Anna", "done"),
        (Via.PAGE, "sign_in", "", "", "done"),
        (Via.PAGE, "ticket.unlock", str(ticket.id), "reason: settled", "done"),
    ]
    assert {(row.actor_id, row.trace) for row in noted[:5]} == {(str(organiser.id), TRACE)}
    shown = (await desk.get("/ops/audit")).text
    assert str(organiser.id) in shown
    assert f"Trace {TRACE}" in shown


async def test_the_log_is_read_and_taken_along_by_its_own_organiser_alone(desk: Desk) -> None:
    evening = desk.evening
    organiser = Organiser(evening, desk.session)
    event = evening.stage.event
    named = {"bit": 5, "name": '=HYPERLINK("evil")'}
    assert (await organiser.call("POST", f"/api/v1/events/{event}/zones", named))[0] == 201
    for _ in range(2):
        assert (await organiser.call("POST", f"/api/v1/gates/{uuid4()}/revoke"))[0] == 404
    status, body = await organiser.call("GET", "/api/v1/audit?limit=2")
    listed = json.loads(body)
    assert (status, len(listed["items"]), listed["pagination"]["hasMore"]) == (200, 2, True)
    rest = json.loads((await organiser.call("GET", f"/api/v1/audit?cursor={listed['pagination']['nextCursor']}"))[1])
    assert [one["action"] for one in rest["items"]] == ["zone.create"]
    about = json.loads((await organiser.call("GET", f"/api/v1/audit?eventId={event}"))[1])
    assert [one["traceId"] for one in about["items"]] == [TRACE]
    sheet = list(csv.reader(io.StringIO((await organiser.call("GET", "/api/v1/audit/export"))[1].decode("utf-8-sig"))))
    assert (len(sheet), sheet[0][5], sheet[1][5]) == (4, "action", "gate.revoke")
    whole = json.loads((await organiser.call("GET", "/api/v1/audit/export?format=json"))[1])
    assert [one["outcome"] for one in whole] == ["gate_not_found", "gate_not_found", "done"]
    async with evening.parts.context.db.tenant(TenantId(uuid4())) as tx:
        await tx.events.add_tenant("Another")
        stranger = Organiser(evening, desk.session, tx.tenant)
    assert json.loads((await stranger.call("GET", "/api/v1/audit"))[1])["items"] == []
    assert json.loads((await stranger.call("GET", "/api/v1/audit/export?format=json"))[1]) == []
    nobody = Organiser(evening, desk.session, TenantId(uuid4()))  # a token for a tenant that was never made
    assert (await nobody.call("POST", f"/api/v1/events/{event}/open"))[0] == 404


async def test_an_event_is_called_off_only_by_who_types_the_word(desk: Desk) -> None:
    evening = desk.evening
    await desk.sign_in()
    path = f"/ops/events/{evening.stage.event}"
    assert "Call the event off" in (await desk.get(path + "/manage")).text
    for form in ({}, {"reason": "storm"}, {"reason": "storm", "confirm": "yes"}, {"confirm": "cancel"}):
        assert (await desk.act(path + "/cancel", **form)).status == 400
    assert (await desk.act(path + "/cancel", reason="storm", confirm=" Cancel ")).status == 303
    assert "Call the event off" not in (await desk.get(path + "/manage")).text
    assert (await desk.act(path + "/cancel", reason="storm", confirm="cancel")).status in {303, 409}
    last = (await deeds(evening))[-2]
    assert (last.action, last.detail, last.outcome) == ("event.cancel", "reason: storm", "done")
