"""Health says of each part what was seen, and of the whole the worst that matters."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from server.api.health import Check, Health, HealthApi, Verdict
from shared.problems import Unavailable


async def well() -> None:
    """Find nothing wrong."""


async def ill() -> None:
    """Find something wrong."""
    raise Unavailable("away")


async def ask(needed: dict[str, Check], soft: dict[str, Check]) -> tuple[int, Health]:
    """Return what a started server answers."""
    api = HealthApi(needed, soft)
    api.mark_started()
    answer = await api.ready(make_mocked_request("GET", "/health/ready"))
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    return answer.status, msgspec.json.decode(answer.body, type=Health)


@pytest.mark.parametrize(
    ("needed", "soft", "status", "verdict"),
    [
        (well, well, 200, Verdict.OK),
        (well, ill, 200, Verdict.DEGRADED),
        (ill, well, 503, Verdict.DOWN),
        (ill, ill, 503, Verdict.DOWN),
    ],
)
async def test_the_worst_part_that_matters_decides(needed: Check, soft: Check, status: int, verdict: Verdict) -> None:
    found = await ask({"database": needed}, {"broker": soft})
    assert (found[0], found[1].status) == (status, verdict)


async def test_each_part_is_told_with_the_code_of_what_is_wrong() -> None:
    _, health = await ask({"database": well, "relay": ill}, {"broker": ill})
    assert {name: (part.status, part.code) for name, part in health.parts.items()} == {
        "database": (Verdict.OK, None),
        "relay": (Verdict.DOWN, "unavailable"),
        "broker": (Verdict.DEGRADED, "unavailable"),
    }


async def test_a_server_that_stops_takes_no_more_and_lives_until_it_is_done() -> None:
    api = HealthApi({"database": well}, {})
    api.mark_started()
    api.mark_stopping()
    request = make_mocked_request("GET", "/health/ready")
    assert [(await api.ready(request)).status, (await api.live(request)).status] == [503, 200]
    assert (await api.startup(request)).status == 200


async def test_before_the_start_is_complete_nothing_is_ready() -> None:
    api = HealthApi({"database": well}, {})
    request = make_mocked_request("GET", "/health/startup")
    assert [(await api.ready(request)).status, (await api.startup(request)).status] == [503, 503]
    assert (await api.live(request)).status == 200


async def test_a_flood_of_questions_costs_one_look() -> None:
    looks = 0
    seen = asyncio.Event()

    async def slow() -> None:
        nonlocal looks
        looks += 1
        await seen.wait()

    api = HealthApi({"database": slow}, {}, kept_s=3600.0)
    api.mark_started()
    request = make_mocked_request("GET", "/health")
    asked = [asyncio.create_task(api.ready(request)) for _ in range(500)]
    await asyncio.sleep(0)
    asked[0].cancel()
    seen.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [one.status for one in answers if isinstance(one, web.Response)] == [200] * 499
    assert (await api.ready(request)).status == 200
    assert looks == 1


async def test_what_was_seen_counts_for_a_moment_only() -> None:
    looks = 0

    async def count() -> None:
        nonlocal looks
        looks += 1

    api = HealthApi({"database": count}, {}, kept_s=0.0)
    api.mark_started()
    for _ in range(3):
        await api.ready(make_mocked_request("GET", "/health"))
    assert looks == 3
