"""The worst of names wherever a name can stand: each page shows them as text, and none of them gets out of its place."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest

from server.auth.passwords import ArgonPasswords
from server.domain.access import Role
from server.ops_site import make_site
from server.services.staff import Registry, StaffWish, add_staff
from tests.browser.evening import HOSTILE, PASSWORD, Evening, hand_over_all, open_evening, write_scan
from tests.conftest import Databases
from tests.integration.server.operations.desk import Desk

RAW = re.compile(r"<img|<script>|onerror=(?!alert\(1\)&gt;)")
TURNED = "\u202e"
PERSON = "<img src=x onerror=alert(1)> & 🎟️"


@pytest.fixture
async def evening(database: Databases) -> AsyncIterator[Evening]:
    """Give an event with the worst of names."""
    async with open_evening(database.app_dsn, database.worker_dsn, name=HOSTILE[:200]) as opened:
        yield opened


async def test_every_page_shows_the_worst_of_names_as_text(evening: Evening) -> None:
    stage = evening.stage
    registry = Registry(context=evening.parts.context, passwords=ArgonPasswords(), tenant=stage.tenant)
    await add_staff(registry, StaffWish(login="eve", name=PERSON, role=Role.ADMIN, password=PASSWORD))
    async with aiohttp.ClientSession(
        evening.running.base_url,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "<script>alert(1)</script>"},
    ) as session:
        desk = Desk(evening, session)
        await desk.sign_in("eve")
        ticket = await evening.sell_hostile()
        gates = [await stage.enrol(HOSTILE[:100]), await stage.enrol('"><script>')]
        hashes = await evening.hashes([ticket])
        for gate in gates:
            write_scan(gate, hashes[ticket.id], stage.clock.now())
            await hand_over_all(gate)
        async with stage.db.tenant(stage.tenant) as tx:
            (conflict,) = await tx.conflicts.of_tickets([ticket.id])
        one = f"/ops/gates/{gates[0].id}"
        assert (await desk.act(one + "/command", kind="hold", text=HOSTILE[:200])).status == 303
        settled = {"resolution": "fraud", "note": HOSTILE[:200]}
        assert (await desk.act(f"/ops/conflicts/{conflict.id}/resolve", **settled)).status == 303
        assert (await desk.act(f"/ops/tickets/{ticket.id}/lock", reason="fraud")).status == 303
        assert (await desk.act(f"/ops/tickets/{ticket.id}/unlock", reason=PERSON)).status == 303
        ids = {"event": stage.event, "gate": gates[0].id, "conflict": conflict.id, "ticket": ticket.id}
        pages = [page for page in make_site(evening.parts).pages() if page.method == "GET"]
        paths = [page.path.format(**ids) for page in pages if not page.path.endswith("/live")]
        texts = [(path, await desk.get(path)) for path in paths]
    assert {answer.status for _, answer in texts} == {200}
    assert [path for path, answer in texts if RAW.search(answer.text)] == []
    assert [place for path, answer in texts for place in escapes(path, answer.text)] == []
    assert sum(TURNED in answer.text for _, answer in texts) >= 10


def escapes(path: str, text: str) -> list[tuple[str, str]]:
    """Return where writing is turned that does not end with an element or an attribute of its own."""
    found = []
    for place in re.finditer(TURNED, text):
        before = text[: place.start()]
        isolated = before.rfind("<bdi") > before.rfind("</bdi")
        if not (isolated or re.search(r'="[^"<>]*$', before) or before.rfind("<title>") > before.rfind("</title>")):
            found.append((path, before[-80:]))
    return found
