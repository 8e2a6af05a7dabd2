"""The ticket page over HTTP: what may be kept and for how long, in which language, under which policy."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest

from server.services.ticket_page import Standing
from server.web.ticket_page.assets import PageAssets, load_assets
from server.web.ticket_page.handlers import SECURITY_POLICY, choose_language
from shared.clock import ManualClock
from tests.browser.stage import LINK, Stage, open_stage

SHELLS = ("/t/", f"/t/{LINK}", "/t/<script>")


@pytest.fixture
async def stage(clock: ManualClock) -> AsyncIterator[Stage]:
    """Give a running server."""
    async with open_stage(clock) as running:
        yield running


@pytest.fixture
async def session(stage: Stage) -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client that leaves bodies as they are sent."""
    async with aiohttp.ClientSession(stage.origin, auto_decompress=False) as client:
        yield client


@pytest.fixture
async def assets() -> PageAssets:
    """Give the page's files."""
    return await asyncio.to_thread(load_assets)


async def test_every_answer_carries_the_policy_and_tells_no_other_site_the_link(
    stage: Stage, session: aiohttp.ClientSession
) -> None:
    for path in (*SHELLS, "/t/sw.js", f"{stage.assets.base}/app.js", f"/t/{LINK}/wallet"):
        async with session.get(path) as answer:
            assert answer.status == 200, path
            assert answer.headers["Content-Security-Policy"] == SECURITY_POLICY
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"


def test_the_policy_allows_nothing_inline_and_nobody_else() -> None:
    rules = {name: values for name, *values in (rule.split() for rule in SECURITY_POLICY.split(";"))}
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == rules["frame-ancestors"] == ["'none'"]
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == rules["worker-src"] == ["'self'"]


async def test_the_page_is_the_same_for_every_link(session: aiohttp.ClientSession) -> None:
    bodies = []
    for path in SHELLS:
        async with session.get(path) as answer:
            bodies.append(await answer.read())
    assert len(set(bodies)) == 1
    assert b"<script>" not in bodies[0]


async def test_the_page_asks_anew_and_is_not_sent_twice(session: aiohttp.ClientSession) -> None:
    async with session.get(f"/t/{LINK}") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
        tag = answer.headers["ETag"]
    async with session.get(f"/t/{LINK}", headers={"If-None-Match": tag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
        assert answer.headers["Content-Security-Policy"] == SECURITY_POLICY
    async with session.get(f"/t/{LINK}", headers={"If-None-Match": tag, "Accept-Language": "de"}) as answer:
        assert answer.status == 200


async def test_files_are_kept_for_good_under_the_name_of_their_build(
    stage: Stage, session: aiohttp.ClientSession
) -> None:
    assert len(stage.assets.files) >= 15
    for name, asset in stage.assets.files.items():
        async with session.get(f"{stage.assets.base}/{name}", headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(await answer.read()) == asset.body
        async with session.get(f"{stage.assets.base}/{name}", headers={"Accept-Encoding": "identity"}) as answer:
            assert await answer.read() == asset.body


@pytest.mark.parametrize(
    "path", ["/web/ticket/0000000000000000/app.js", "{base}/nothing.js", "{base}/..%2Fhandlers.py"]
)
async def test_other_builds_and_other_files_are_not_served(
    stage: Stage, session: aiohttp.ClientSession, path: str
) -> None:
    async with session.get(path.replace("{base}", stage.assets.base)) as answer:
        assert answer.status == 404


async def test_the_ticket_is_never_kept_on_the_way(session: aiohttp.ClientSession) -> None:
    async with session.get(f"/t/{LINK}/wallet") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        body = msgspec.json.decode(await answer.read())
    assert body["standing"] == "ready"
    assert set(body["ticket"]) >= {"ticketId", "eventName", "holderName", "seat", "startsAt"}
    assert set(body["wallet"]) >= {"seed", "capsules", "slotSeconds", "revealAt", "serverTime"}


async def test_an_unknown_link_is_a_problem_the_page_knows(session: aiohttp.ClientSession) -> None:
    async with session.get("/t/another/wallet") as answer:
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"
        assert msgspec.json.decode(await answer.read())["code"] == "link_invalid"


async def test_the_worker_keeps_exactly_the_files_of_its_build(assets: PageAssets) -> None:
    worker = assets.worker.body.decode()
    named = worker.partition('const FILES = "')[2].partition('"')[0].split()
    assert named == [f"{assets.base}/{name}" for name in sorted(assets.files)]
    assert f'const BUILD = "{assets.build}";' in worker
    # The worker takes a page for its own by this name.
    assert all(assets.build.encode() in shell.body for shell in assets.shells.values())


async def test_the_page_loads_only_what_it_names(assets: PageAssets) -> None:
    shell = assets.shells["en"].body.decode()
    for name in assets.files:
        assert f"{assets.base}/{name}" in shell
    assert "@" not in shell
    assert "http://" not in shell
    assert "https://" not in shell


async def test_without_javascript_the_page_says_what_to_do_in_either_language(assets: PageAssets) -> None:
    for language, words in (("en", "ask the staff at the door"), ("de", "fragen Sie am Eingang")):
        shell = assets.shells[language].body.decode()
        assert f'<html lang="{language}">' in shell
        assert words in shell.partition("<noscript>")[2].partition("</noscript>")[0]


async def test_a_first_visit_weighs_less_than_a_photo(assets: PageAssets) -> None:
    sent = [assets.shells["de"], assets.worker, *assets.files.values()]
    assert sum(len(one.packed) for one in sent) < 30_000


async def test_two_standings_without_a_wallet_say_nothing_of_it(stage: Stage, session: aiohttp.ClientSession) -> None:
    for standing in (Standing.REPLACED, Standing.VOID):
        stage.pages.end(standing)
        async with session.get(f"/t/{LINK}/wallet") as answer:
            body = msgspec.json.decode(await answer.read())
        assert body["wallet"] is None
        assert (body["ticket"] is None) == (standing is Standing.REPLACED)


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-CH, en;q=0.9", "de"),
        ("fr-FR, de;q=0.4, en;q=0.7", "en"),
        ("fr, it", "en"),
        ("DE;q=1.0", "de"),
        ("en;q=0, de;q=0.1", "de"),
        ("de;q=nan, en;q=0.5", "en"),
        ("de;q=x, , ;;, *", "en"),
        ("*", "en"),
        (",".join(["xx"] * 10_000) + ",de", "en"),
    ],
)
def test_the_language_is_the_one_preferred_of_those_there_are(accepted: str, chosen: str) -> None:
    assert choose_language(accepted) == chosen
