"""How well text stands out on a page, as WCAG 2.2 counts it (1.4.3): measured on what the browser computed."""

from __future__ import annotations

from msgspec import Struct, convert
from playwright.async_api import Page

_READ = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const over = (top, below) => {
    const alpha = top[3] ?? 1;
    return [0, 1, 2].map((n) => top[n] * alpha + below[n] * (1 - alpha));
  };
  const ground = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.unshift(parse(getComputedStyle(one).backgroundColor));
    return layers.reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    const box = element.getBoundingClientRect();
    if (!node.data.trim() || box.width < 2 || element.closest("script, noscript, option, title, .off, .skip")) continue;
    const style = getComputedStyle(element);
    if (style.visibility !== "visible") continue;
    const below = ground(element);
    found.push({ text: node.data.trim().slice(0, 40), ink: over(parse(style.color), below), ground: below,
      size: parseFloat(style.fontSize), weight: Number(style.fontWeight) });
  }
  return found;
}"""


class _Seen(Struct, frozen=True):
    text: str
    ink: tuple[float, float, float]
    ground: tuple[float, float, float]
    size: float
    weight: float


class Contrast(Struct, frozen=True):
    """A text, its contrast, and the contrast it needs."""

    text: str
    ratio: float
    needed: float


async def read_contrasts(page: Page) -> list[Contrast]:
    """Return the contrast of every text that can be seen."""
    seen = convert(await page.evaluate(_READ), list[_Seen])
    assert seen
    return [Contrast(one.text, round(_ratio(one.ink, one.ground), 2), _needed(one)) for one in seen]


def _needed(one: _Seen) -> float:
    large = one.size >= 24 or (one.size >= 18.66 and one.weight >= 700)
    return 3.0 if large else 4.5


def _ratio(ink: tuple[float, float, float], ground: tuple[float, float, float]) -> float:
    lighter, darker = sorted((_luminance(ink), _luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: tuple[float, float, float]) -> float:
    red, green, blue = (_linear(part / 255) for part in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
