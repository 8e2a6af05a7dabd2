"""Each decoder reads what people hold up, and finds nothing where there is nothing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp

from gate.film.symbol import draw_symbol
from gate.scanner.decoder import Decoder, ZxingDecoder, has_contrast, to_gray
from gate.scanner.frames import Image
from gate.scanner.region import cut_regions
from gate.scanner.second import ZbarDecoder, load_zbar

TEXT = "HTTPS://TICKET.EXAMPLE/7F3A9C2E-0451"
OTHER = "SECOND TICKET 0002"


@pytest.fixture(params=["zxing", "zbar"])
def decoder(request: pytest.FixtureRequest) -> Decoder:
    """Give each decoder in turn: both keep the same promises."""
    return ZxingDecoder() if request.param == "zxing" else ZbarDecoder(load_zbar())


def draw_code(text: str, module_px: int = 6) -> Image:
    """Return a code with its quiet zone, black on white."""
    tones = np.where(np.pad(draw_symbol(text, "M"), 4), 0, 255).astype(np.uint8)
    return tones.repeat(module_px, axis=0).repeat(module_px, axis=1)


def place(*codes: Image, ground: int = 128) -> Image:
    """Return a gray 720p picture with the codes side by side."""
    picture = np.full((720, 1280), ground, dtype=np.uint8)
    for number, code in enumerate(codes):
        left = 60 + number * 620
        picture[120 : 120 + code.shape[0], left : left + code.shape[1]] = code
    return picture


def test_plain_code_is_read(decoder: Decoder) -> None:
    assert decoder.decode(place(draw_code(TEXT))) == [TEXT]


def test_colour_and_gray_give_the_same(decoder: Decoder) -> None:
    gray = place(draw_code(TEXT))
    colour = np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    assert decoder.decode(colour) == decoder.decode(gray) == [TEXT]


def test_light_code_on_dark_is_read(decoder: Decoder) -> None:
    assert decoder.decode(place(255 - draw_code(TEXT), ground=20)) == [TEXT]


def test_two_light_codes_on_dark_are_both_read(decoder: Decoder) -> None:
    found = decoder.decode(place(255 - draw_code(TEXT), 255 - draw_code(OTHER), ground=20))
    assert sorted(found) == sorted([TEXT, OTHER])


def test_two_codes_in_view_are_both_read(decoder: Decoder) -> None:
    found = decoder.decode(place(draw_code(TEXT), draw_code(OTHER)))
    assert sorted(found) == sorted([TEXT, OTHER])


def test_same_code_twice_in_view_is_one_text(decoder: Decoder) -> None:
    assert decoder.decode(place(draw_code(TEXT), draw_code(TEXT))) == [TEXT]


def test_light_code_beside_a_dark_one_that_stays_is_read_within_four_more_pictures() -> None:
    both = place(draw_code(OTHER), ground=128)
    both[:, 640:] = place(255 - draw_code(TEXT), ground=20)[:, :640]
    decoder = ZxingDecoder()
    found = [sorted(decoder.decode(both)) for _ in range(9)]
    assert found[0] == [OTHER]
    assert found[4] == found[8] == sorted([OTHER, TEXT])


def test_code_that_is_new_in_view_is_told_though_another_stays() -> None:
    decoder = ZxingDecoder()
    decoder.decode(place(draw_code(TEXT)))
    assert sorted(decoder.decode(place(draw_code(TEXT), draw_code(OTHER)))) == sorted([TEXT, OTHER])


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_turned_code_is_read(decoder: Decoder, quarter_turns: int) -> None:
    assert decoder.decode(place(np.rot90(draw_code(TEXT), quarter_turns))) == [TEXT]


def test_text_beyond_ascii_comes_back_unchanged(decoder: Decoder) -> None:
    assert decoder.decode(place(draw_code("Zoë Müller, Łódź, 東京"))) == ["Zoë Müller, Łódź, 東京"]


def test_other_symbologies_are_ignored(decoder: Decoder) -> None:
    bars = np.full((720, 1280), 255, dtype=np.uint8)
    bars[200:400, 300:900] = np.where(np.arange(600) // 5 % 3 == 0, 0, 255)
    assert decoder.decode(bars) == []


def test_noise_holds_no_code(decoder: Decoder) -> None:
    noise = np.random.default_rng(4).integers(0, 256, (720, 1280), dtype=np.uint8)
    assert [decoder.decode(noise) for _ in range(4)] == [[], [], [], []]


def test_every_improvement_of_the_whole_picture_gets_its_turn_where_no_code_is_even_seen() -> None:
    blurred = np.asarray(cv2.GaussianBlur(place(draw_code("A" * 60, 4)), (0, 0), 2.1), dtype=np.uint8)
    decoder = ZxingDecoder()
    outcomes = [bool(decoder.decode(blurred)) for _ in range(32)]
    turns = outcomes[3::4]
    assert True in turns
    assert False in turns
    assert turns[:4] == turns[4:]
    assert sum(outcomes) == sum(turns)


def test_code_that_is_seen_and_not_read_is_looked_at_harder_at_once() -> None:
    soft = np.asarray(cv2.GaussianBlur(place(draw_code("A" * 219, 5)), (0, 0), 2.8), dtype=np.uint8)
    noisy = np.clip(soft + np.random.default_rng(3).normal(0, 4, soft.shape), 0, 255).astype(np.uint8)
    qr = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
    seen = zxingcpp.read_barcodes(noisy, formats=qr, return_errors=True)
    assert seen
    assert not any(code.valid for code in seen)
    assert ZxingDecoder().decode(noisy) == ["A" * 219]


def test_regions_lie_around_what_was_seen_and_inside_the_picture() -> None:
    corner = np.full((720, 1280), 128, dtype=np.uint8)
    code = draw_code(TEXT)
    corner[: code.shape[0], : code.shape[1]] = code
    qr = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
    (region,) = cut_regions(corner, zxingcpp.read_barcodes(corner, formats=qr))
    assert ZxingDecoder().decode(region) == [TEXT]
    assert region.size < corner.size / 4
    (tiny,) = zxingcpp.read_barcodes(draw_code("A", 1), formats=qr)
    assert cut_regions(draw_code("A", 1), [tiny]) == []


@pytest.mark.parametrize("level", [0, 90, 255])
def test_even_picture_is_known_to_be_empty(level: int) -> None:
    assert not has_contrast(np.full((720, 1280), level, dtype=np.uint8))


def test_dim_code_is_not_taken_for_an_empty_picture() -> None:
    dim = (place(draw_code(TEXT)).astype(np.float32) * 0.12).astype(np.uint8)
    assert has_contrast(dim)


def test_picture_smaller_than_a_cell_is_looked_at() -> None:
    assert has_contrast(np.zeros((20, 20), dtype=np.uint8))


def test_gray_picture_is_not_copied() -> None:
    gray = np.zeros((8, 8), dtype=np.uint8)
    assert to_gray(gray) is gray
