"""Every screen looks as it was approved, at two sizes and without colour: pictures are compared with those in `golden`.

After a wanted change, run with TICKETTOKEN_UPDATE_GOLDEN=1, look at the pictures, and commit them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from docs.make_gate_pictures import IMAGES, redraw
from docs.make_gate_pictures import PICTURES as SHOWN
from tests.tui.scenes import LARGE, SCENES, SMALL, colours_of, draw_scene, normalise, read_text

GOLDEN = Path(__file__).parent / "golden"


class Picture(Struct, frozen=True, kw_only=True):
    """A scene, a size, and whether its colours are taken away."""

    scene: str
    size: tuple[int, int]
    grey: bool = False

    @property
    def name(self) -> str:
        """What the approved picture is called."""
        return f"{self.scene}-{self.size[0]}x{self.size[1]}" + ("-grey" if self.grey else "")


PICTURES = [
    *(Picture(scene=name, size=size) for name in SCENES for size in (SMALL, LARGE)),
    *(Picture(scene=name, size=SMALL, grey=True) for name, scene in SCENES.items() if scene.colour),
]


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
async def test_screen_looks_as_approved(picture: Picture, tmp_path: Path) -> None:
    scene = SCENES[picture.scene]
    drawn = normalise(await draw_scene(replace(scene, colour=scene.colour and not picture.grey), picture.size))
    golden = GOLDEN / f"{picture.name}.svg"
    if os.environ.get("TICKETTOKEN_UPDATE_GOLDEN") == "1":
        golden.write_text(drawn, encoding="utf-8")
    approved = golden.read_text(encoding="utf-8")
    kept = tmp_path / golden.name
    kept.write_text(drawn, encoding="utf-8")
    assert read_text(drawn) == read_text(approved), f"the words differ; drawn: {kept}, approved: {golden}"
    assert drawn == approved, f"the words are the same, the looks are not; drawn: {kept}, approved: {golden}"


def test_every_golden_picture_is_compared() -> None:
    assert {path.stem for path in GOLDEN.glob("*.svg")} == {picture.name for picture in PICTURES}


def test_pictures_without_colour_have_none() -> None:
    grey = [picture for picture in PICTURES if picture.grey or not SCENES[picture.scene].colour]
    assert {picture.scene for picture in grey} == set(SCENES)
    for picture in grey:
        approved = (GOLDEN / f"{picture.name}.svg").read_text(encoding="utf-8")
        assert colours_of(approved) == set(), picture.name


def test_docs_show_every_screen_as_it_is_now() -> None:
    assert {scene for scene, _ in SHOWN.values()} == set(SCENES)
    assert {path.stem for path in IMAGES.glob("gate-*.svg")} == set(SHOWN)
    for name, (scene, size) in SHOWN.items():
        approved = (GOLDEN / f"{Picture(scene=scene, size=size).name}.svg").read_text(encoding="utf-8")
        shown = (IMAGES / f"{name}.svg").read_text(encoding="utf-8")
        assert redraw(approved) == shown, f"docs/images/{name}.svg is old: run python -m docs.make_gate_pictures"
