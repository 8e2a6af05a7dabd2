"""The screen looks as it was approved: pictures are compared with those in `golden`.

After a wanted change, run with TICKETTOKEN_UPDATE_GOLDEN=1, look at the pictures, and commit them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tui.scenes import LARGE, SCENES, SMALL, draw_scene, normalise, read_text

GOLDEN = Path(__file__).parent / "golden"
PICTURES = [
    *((name, size) for name in ("ready", "admitted", "used", "stale", "offline") for size in (SMALL, LARGE)),
    *((name, SMALL) for name in ("repeat", "camera-away", "help", "german", "colourless", "ascii")),
    ("colourless", LARGE),
    *((name, SMALL) for name in ("supervisor", "menu", "refusals", "why", "overridden", "undone", "look", "found")),
    *(
        (name, SMALL)
        for name in (
            "event",
            "network",
            "closed",
            "settings",
            "night",
            "fault",
            "full",
            "damaged",
            "drill",
            "code",
            "held",
            "notice",
        )
    ),
    *((name, LARGE) for name in ("menu", "look", "event", "closed")),
]


@pytest.mark.parametrize(
    ("name", "size"), PICTURES, ids=lambda part: part if isinstance(part, str) else f"{part[0]}x{part[1]}"
)
async def test_screen_looks_as_approved(name: str, size: tuple[int, int], tmp_path: Path) -> None:
    drawn = normalise(await draw_scene(SCENES[name], size))
    golden = GOLDEN / f"{name}-{size[0]}x{size[1]}.svg"
    if os.environ.get("TICKETTOKEN_UPDATE_GOLDEN") == "1":
        golden.write_text(drawn, encoding="utf-8")
    approved = golden.read_text(encoding="utf-8")
    kept = tmp_path / golden.name
    kept.write_text(drawn, encoding="utf-8")
    assert read_text(drawn) == read_text(approved), f"the words differ; drawn: {kept}, approved: {golden}"
    assert drawn == approved, f"the words are the same, the looks are not; drawn: {kept}, approved: {golden}"


def test_every_golden_picture_is_compared() -> None:
    assert {path.stem for path in GOLDEN.glob("*.svg")} == {f"{name}-{size[0]}x{size[1]}" for name, size in PICTURES}
