"""The page's QR encoder draws what the standard says: module for module what another implementation draws."""

from __future__ import annotations

import numpy as np
import pytest
import segno

from gate.scanner.decoder import ZxingDecoder
from shared.codes.base45 import ALPHABET
from tests.browser.conftest import Open
from tests.browser.visit import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

ENCODE = """async ([address, texts, level]) => {
  const { encode } = await import(address);
  return texts.map((text) => {
    const { size, modules } = encode(text, level);
    return Array.from({ length: size }, (_, row) => modules.slice(row * size, (row + 1) * size).join(""));
  });
}"""


async def draw(phone: Visit, texts: list[str], level: str = "M") -> list[list[str]]:
    """Return the rows of each text's symbol as the page's module draws it."""
    drawn: list[list[str]] = await phone.page.evaluate(ENCODE, [f"{phone.stage.assets.base}/qr.js", texts, level])
    return drawn


def reference(text: str, level: str = "M") -> list[str]:
    """Return the rows of a text's symbol as segno draws it."""
    symbol = segno.make(text, error=level, boost_error=False, micro=False)
    return ["".join(map(str, row)) for row in symbol.matrix]


def make_text(noise: np.random.Generator, length: int) -> str:
    """Return a text of the alphanumeric mode that no denser mode would take."""
    return "Z" + "".join(noise.choice(list(ALPHABET), length - 1))


@pytest.mark.parametrize("length", [219, 192])
async def test_token_texts_give_the_same_modules_as_segno(visit: Open, length: int) -> None:
    phone = await visit()
    await phone.open()
    noise = np.random.default_rng(length)
    texts = [make_text(noise, length) for _ in range(100)]
    drawn = await draw(phone, texts)
    assert len(drawn[0]) == 49
    assert drawn == [reference(text) for text in texts]


@pytest.mark.parametrize(("level", "longest"), [("L", 535), ("M", 419), ("Q", 296), ("H", 227)])
async def test_every_version_and_level_gives_the_same_modules_as_segno(visit: Open, level: str, longest: int) -> None:
    phone = await visit()
    await phone.open()
    noise = np.random.default_rng(longest)
    texts = [make_text(noise, length) for length in range(longest, 0, -5)]
    # Where the text and its terminator end with a whole byte, segno adds a zero byte that the standard does not know.
    texts = [text for text in texts if not ends_with_byte(text, level)]
    drawn = await draw(phone, texts, level)
    assert {len(rows) for rows in drawn} == set(range(21, 66, 4))
    assert drawn == [reference(text, level) for text in texts]


def ends_with_byte(text: str, level: str) -> bool:
    """Tell whether a text's bits fill whole bytes, the terminator included."""
    size = len(reference(text, level))
    count = 9 if size < 57 else 11  # version 10
    return (4 + count + len(text) // 2 * 11 + len(text) % 2 * 6 + 4) % 8 == 0


async def test_whatever_is_drawn_can_be_read(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    noise = np.random.default_rng(7)
    texts = ["", "0", "Zoë Müller, 東京 🎫", "lower case", "x" * 200]
    texts += [make_text(noise, length) for length in range(1, 220)]
    for text, rows in zip(texts, await draw(phone, texts), strict=True):
        modules = np.array([[int(module) for module in row] for row in rows], dtype=np.uint8)
        picture = np.pad(255 * (1 - modules), 4, constant_values=255).repeat(4, axis=0).repeat(4, axis=1)
        assert ZxingDecoder().decode(picture.astype(np.uint8)) == ([text] if text else [])


async def test_a_text_too_long_for_version_12_is_refused(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    address = f"{phone.stage.assets.base}/qr.js"
    refused = await phone.page.evaluate(
        "async (address) => { try { (await import(address)).encode('A'.repeat(420)); } catch (error) { return error.name; } }",
        address,
    )
    assert refused == "RangeError"
