"""Codes as pictures, and which picture is meant."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pytest
import zxingcpp
from numpy.typing import NDArray

from server.api.qr import PNG, SVG, choose_media_type, draw
from shared.codes.token import Token, write_token

TOKEN = write_token(Token(capsule=bytes(range(128)), slot=4711, value=bytes(range(16))))


def test_the_picture_says_exactly_the_token() -> None:
    picture = cv2.imdecode(np.frombuffer(draw(TOKEN, PNG), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    (found,) = zxingcpp.read_barcodes(picture)
    assert (found.text, found.ec_level) == (TOKEN, "M")
    assert picture.shape == (8 * (49 + 8), 8 * (49 + 8))


def test_the_drawing_is_svg_that_stands_alone_and_says_exactly_the_token() -> None:
    drawing = ET.fromstring(draw(TOKEN, SVG))  # noqa: S314 - made by ourselves
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert (drawing.get("width"), drawing.get("height")) == ("456", "456")
    ground, path = drawing.iter("{http://www.w3.org/2000/svg}path")
    # White of its own below it: black on whatever is behind it could not be read in the dark.
    assert (ground.get("fill"), ground.get("d"), path.get("stroke")) == ("#fff", "M0 0h57v57h-57z", "#000")
    assert [one.get("transform") for one in drawing.iter() if one.get("transform")] == ["scale(8)"]
    (found,) = zxingcpp.read_barcodes(fill(path.get("d") or "").repeat(8, axis=0).repeat(8, axis=1))
    assert (found.text, found.ec_level) == (TOKEN, "M")


def fill(path: str) -> NDArray[np.uint8]:
    """Return the modules a path of level strokes, each one module thick, makes black; the quiet zone is four wide."""
    modules = np.full((49 + 8, 49 + 8), 255, np.uint8)
    x = y = 0.0
    for step, across, down in re.findall(r"([Mmh])(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?", path):
        if step == "h":
            modules[int(y), int(x) : int(x + float(across))] = 0
        x = float(across) + (0 if step == "M" else x)
        y = y if step == "h" else float(down) + (0 if step == "M" else y)
    return modules


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("image/png", PNG),
        ("IMAGE/PNG", PNG),
        ("image/svg+xml, image/png", SVG),
        ("image/svg+xml;q=0.1, image/png;q=0.2", PNG),
        ("image/*", SVG),
        ("text/html, image/png;q=0.5", PNG),
        ("text/html", None),
        ("image/png;q=0", None),
        ("image/png;q=high", None),
        ("application/json;q=0, */*", SVG),
        ("image/svg+xml;q=0, image/*", PNG),
        ("*/*;q=0.1, image/png", PNG),
        ("*/*, image/png", PNG),
        ("image/*;q=0.5, image/svg+xml;q=0.1", PNG),
        ("text/html,application/xhtml+xml,image/avif,image/webp,*/*;q=0.8", "application/json"),
        ("application/*, image/png;q=0.9", "application/json"),
        ("image/png ; Q=0.5 , image/svg+xml; q=0.7", SVG),
        ("image/png;version=1", PNG),
        ("*", None),
        ("image/png;q=nan", None),
        ("image/png;q=inf", None),
        ("image/png;q=-1", None),
        ("image/png;q=1e3", None),
        (",,;;q=,/", None),
        ("x," * 5000 + "image/png", None),
    ],
)
def test_the_form_is_chosen_as_the_caller_ranks_it(accept: str, chosen: str | None) -> None:
    assert choose_media_type(accept) == chosen
