"""The operations page as an attacker, a tired person and a long list meet it."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from server.ops_site import make_site
from server.services.rows import Page
from server.services.sign_in import FROM_ONE_PLACE
from shared.ids import TenantId
from shared.tickets.lifecycle import State
from tests.browser.evening import HOSTILE, Evening, hand_over_all, write_scan
from tests.conftest import Databases
from tests.integration.server.operations.desk import Desk
from tests.integration.server.schema.connections import connected
from tests.meta.sources import ROOT

SESSION = "__Host-tt_ops"
MANY = 10_000
MANY_GATES = """
INSERT INTO gates (tenant_id, id, event_id, name, sign_public, seal_public)
SELECT $1, gen_random_uuid(), $2, 'Gate ' || n, sha256(n::text::bytea), sha256(('s' || n)::bytea)
FROM generate_series(1, $3::integer) AS n
"""


async def test_cookie_is_out_of_reach_and_the_page_loads_nothing_from_elsewhere(desk: Desk) -> None:
    entered = await desk.sign_in()
    assert (entered.status, entered.place) == (303, "/ops")
    (cookie,) = [line for line in desk.set_cookies if line.startswith(SESSION)]
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    page = await desk.get(f"/ops/events/{desk.evening.stage.event}")
    assert page.status == 200
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert "://" not in page.text.replace("http://www.w3.org/", "")
    assert not re.search(r"<[^>]+ (on\w+|style)=", page.text)
    for name in re.findall(r'(?:href|src)="(/ops/files/[^"]+)"', page.text):
        assert (await desk.get(name)).status == 200


async def test_without_a_session_every_page_leads_to_the_sign_in_and_back(desk: Desk) -> None:
    for page in make_site(desk.evening.parts).pages():
        path = re.sub(r"\{\w+\}", str(uuid4()), page.path)
        answer = await desk.get(path) if page.method == "GET" else await desk.post(path, {})
        assert (answer.status, answer.place.partition("?")[0]) == (303, "/ops/sign-in"), path
    wanted = f"/ops/events/{desk.evening.stage.event}/gates"
    asked = await desk.get(wanted)
    entered = await desk.sign_in(wanted=asked.place.partition("next=")[2])
    assert entered.place == wanted
    for elsewhere in ("//evil.test", "https://evil.test/ops", "/ops/../api", "/opsevil", "javascript:alert(1)"):
        assert (await desk.sign_in(wanted=elsewhere)).place == "/ops"


async def test_forged_forms_do_nothing(desk: Desk) -> None:
    await desk.sign_in()
    gate = await desk.evening.stage.enrol("North")
    path, token = f"/ops/gates/{gate.id}/revoke", await desk.token()
    forged = [
        await desk.post(path, {}),
        await desk.post(path, {"form_token": "0" * 64}),
        await desk.post(path, {"form_token": token}, Origin="https://evil.test"),
        await desk.post(path, {"form_token": token}, Origin="null"),
        await desk.post(path, {"form_token": token}, Sec_Fetch_Site="cross-site"),
        await desk.post(path, {"form_token": token}, Sec_Fetch_Site="same-site"),
    ]
    assert [one.status for one in forged] == [403] * len(forged)
    assert all("form_forged" in one.text for one in forged)
    assert "● " not in (await desk.get(f"/ops/gates/{gate.id}")).text
    assert (await desk.get(path)).status == 405
    assert (await desk.post("/ops/sign-in", {"login": "sam", "password": "x", "entry": "forged"})).status == 403
    # another session's token does not fit, as in a second tab after signing in anew
    await desk.sign_in()
    assert (await desk.post(path, {"form_token": token})).status == 403
    origin = desk.evening.running.base_url
    done = await desk.post(path, {"form_token": await desk.token()}, Origin=origin, Sec_Fetch_Site="same-origin")
    assert (done.status, done.place) == (303, f"/ops/gates/{gate.id}?said=gate_revoked")


async def test_wrong_passwords_are_told_alike_and_counted(desk: Desk) -> None:
    wrong, unknown = await desk.sign_in(password="wrong"), await desk.sign_in(login="nobody")
    assert (wrong.status, unknown.status) == (403, 403)
    alert = re.compile(r'role="alert">([^<]+)')
    assert alert.findall(wrong.text) == alert.findall(unknown.text)
    for _ in range(FROM_ONE_PLACE.calls - 1):
        await desk.sign_in(password="wrong")
    assert (await desk.sign_in()).status == 429
    assert SESSION not in desk.cookies


async def test_each_role_does_what_the_access_table_says(desk: Desk) -> None:
    await desk.sign_in("dana")
    event = desk.evening.stage.event
    gate = await desk.evening.stage.enrol("North")
    seen = {
        path: (await desk.get(f"/ops/events/{event}{path}")).status for path in ("", "/gates", "/tickets", "/manage")
    }
    assert seen == {"": 200, "/gates": 200, "/tickets": 403, "/manage": 403}
    refused = await desk.act(f"/ops/gates/{gate.id}/revoke")
    assert (refused.status, "scope_missing" in refused.text) == (403, True)
    assert "Take it out of service" not in (await desk.get(f"/ops/gates/{gate.id}")).text


async def test_another_tenants_things_are_not_there(desk: Desk, database: Databases) -> None:
    await desk.sign_in()
    other = TenantId(uuid4())
    async with desk.evening.parts.database.tenant(other) as tx:
        await tx.events.add_tenant("Another")
    for path in ("events/{}", "events/{}/gates", "events/{}/live", "gates/{}", "tickets/{}", "conflicts/{}", "gates/x"):
        assert (await desk.get("/ops/" + path.format(uuid4()))).status == 404, path


async def test_a_session_that_is_over_ends_in_the_sign_in(desk: Desk) -> None:
    await desk.sign_in()
    first = desk.cookies[SESSION]
    await desk.sign_in()
    listed = await desk.get("/ops/sessions")
    (session,) = re.findall(r"/ops/sessions/([0-9a-f-]+)/end", listed.text)
    assert (await desk.act(f"/ops/sessions/{session}/end")).status == 303
    desk.cookies[SESSION], kept = first, desk.cookies[SESSION]
    assert (await desk.get("/ops")).place.startswith("/ops/sign-in")
    live = await desk.get(f"/ops/events/{desk.evening.stage.event}/live", Accept="text/event-stream")
    assert live.status == 401
    desk.cookies[SESSION] = kept
    out = await desk.act("/ops/sign-out")
    assert out.place == "/ops/sign-in?said=signed_out"
    desk.cookies[SESSION] = kept
    assert (await desk.get("/ops")).status == 303


async def test_names_of_every_kind_stay_text(desk: Desk) -> None:
    evening = desk.evening
    await desk.sign_in()
    ticket = await evening.sell_hostile()
    gate, other = await evening.stage.enrol("<b>&\u202e"), await evening.stage.enrol('"><script>')
    hashes = await evening.hashes([ticket])
    for one in (gate, other):
        write_scan(one, hashes[ticket.id], evening.stage.clock.now())
        await hand_over_all(one)
    event = evening.stage.event
    pages = [f"/ops/events/{event}", f"/ops/events/{event}/gates", f"/ops/events/{event}/conflicts"]
    pages += [f"/ops/tickets/{ticket.id}", f"/ops/gates/{gate.id}", f"/ops/events/{event}/tickets?q=%3Cimg%20src%3Dx"]
    for path in pages:
        page = await desk.get(path)
        assert page.status == 200, path
        assert not re.search(r"<img|<b>&|<script>", page.text), path
    found = await desk.get(pages[-1])
    assert "&lt;img src=x" in found.text
    assert (await desk.get(f"/ops/events/{event}/tickets?q=%00%27%22%25_%5C")).status == 200
    assert HOSTILE[:8] not in found.text


async def test_ten_thousand_gates_come_in_pages(desk: Desk, database: Databases) -> None:
    stage = desk.evening.stage
    await desk.sign_in()
    async with connected(database.owner_dsn) as owner, owner.transaction():
        await owner.execute("SELECT set_config('app.tenant', $1, true)", str(stage.tenant))
        await owner.execute(MANY_GATES, stage.tenant, stage.event, MANY)
    page = await desk.get(f"/ops/events/{stage.event}/gates?page=100")
    assert "Page 100 of 100" in page.text
    assert page.text.count('<th scope="row">') == 100
    assert len(page.text) < 200_000
    found = await desk.get(f"/ops/events/{stage.event}/gates?name=gate%209999")
    assert found.text.count('<th scope="row">') == 1
    assert (await desk.get(f"/ops/events/{stage.event}/gates?page=999999999")).status == 200
    overview = await desk.get(f"/ops/events/{stage.event}")
    assert overview.text.count('class="tile ') == 60
    assert len(overview.text) < 100_000


async def test_deeds_are_done_and_written_down(desk: Desk) -> None:
    evening = desk.evening
    await desk.sign_in()
    event, (ticket, other) = evening.stage.event, await evening.sell((2, 0, 0))
    assert (await desk.act(f"/ops/tickets/{ticket.id}/lock", reason="dispute")).status == 303
    assert (await desk.act(f"/ops/tickets/{ticket.id}/lock", reason="dispute")).status == 409
    assert (await desk.act(f"/ops/tickets/{ticket.id}/unlock", reason="settled")).status == 303
    assert (await desk.act(f"/ops/tickets/{other.id}/revoke", reason="fraud_detected")).status == 303
    assert (await evening.stage.ticket(other.id)).state is State.REVOKED
    for reason in ("", "because", "fraud_detected\0"):
        assert (await desk.act(f"/ops/tickets/{ticket.id}/revoke", reason=reason)).status == 400
    assert (await desk.act(f"/ops/events/{event}/keys", when="at_once")).status == 303
    code = await desk.act(f"/ops/events/{event}/enrol", name="Pier", direction="entry")
    assert (code.status, "<svg" in code.text, code.headers["Cache-Control"]) == (200, True, "no-store")
    assert (await desk.act(f"/ops/events/{event}/close")).status == 409
    assert (await desk.act(f"/ops/events/{event}/close", reason="storm")).status == 303
    log = (await desk.get("/ops/audit")).text
    for action in ("ticket.lock", "ticket.revoke", "keys.rotate", "gate.enrolment_code", "event.close", "sign_in"):
        assert action in log
    assert "✕ ticket_lock_unchanged" in log
    async with evening.stage.db.tenant(evening.stage.tenant) as tx:
        entries = await tx.audit.list_all(None, Page(limit=100))
    assert all(entry.outcome for entry in entries)


async def test_gates_are_held_told_and_let_go_on(desk: Desk) -> None:
    stage = desk.evening.stage
    await desk.sign_in()
    north, south = await stage.enrol("North"), await stage.enrol("South")
    path = f"/ops/gates/{north.id}"
    assert (await desk.act(path + "/command", kind="hold", text="a crush <b>")).status == 303
    held = (await desk.get(path)).text
    assert "a crush &lt;b&gt;" in held
    assert "Go on" in held
    for form in ({"kind": "wipe"}, {"kind": "hold", "text": ""}, {"kind": "message", "text": "x" * 201}, {}):
        assert (await desk.act(path + "/command", **form)).status == 400
    assert (await desk.act(path + "/command", kind="resume")).status == 303
    assert "a crush" not in (await desk.get(path)).text
    assert (await desk.act(f"/ops/events/{stage.event}/message", text="doors close at nine")).status == 303
    async with stage.db.tenant(stage.tenant) as tx:
        told = {
            gate.id: [one.kind.value for one in await tx.commands.of_gate(gate.id, None, 9)] for gate in (north, south)
        }
    assert told == {north.id: ["message", "resume", "hold"], south.id: ["message"]}
    assert (await desk.act(path + "/revoke")).status == 303
    assert (await desk.act(path + "/command", kind="resync")).status == 409


@pytest.mark.parametrize("path", ["", "/gates", "/conflicts", "/tickets", "/manage"])
async def test_an_event_without_anything_has_its_pages(path: str, desk: Desk) -> None:
    await desk.sign_in()
    assert (await desk.get(f"/ops/events/{desk.evening.stage.event}{path}")).status == 200


def test_reference_names_every_page(evening: Evening) -> None:
    page = (ROOT / "docs" / "reference" / "operations-page.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(GET|POST) (/ops\S*)` \|", page, flags=re.MULTILINE))
    assert told == {(one.method, one.path) for one in make_site(evening.parts).pages()}
