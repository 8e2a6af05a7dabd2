"""Codes as pictures: a QR symbol of error level M, which survives glare and fingers best."""

from __future__ import annotations

import io
import re
from typing import NamedTuple

import segno

SVG = "image/svg+xml"
PNG = "image/png"

OFFERED = ("application/json", SVG, PNG)

_QUIET_ZONE = 4
_PIXELS_PER_MODULE = 8
_MOST_RANGES = 50
_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


class _Range(NamedTuple):
    """One part of an Accept header; ``exactness`` is 2 for a form by its name, 1 for a family, 0 for anything."""

    name: str
    quality: float
    exactness: int
    place: int


def draw(text: str, media_type: str) -> bytes:
    """Return the symbol of a code's text as SVG or PNG, with the quiet zone ISO/IEC 18004 asks for."""
    symbol = segno.make(text, error="m", boost_error=False, micro=False)
    out = io.BytesIO()
    if media_type == SVG:
        # On white of its own: whoever shows it on a dark ground has no other.
        symbol.save(out, kind="svg", border=_QUIET_ZONE, scale=_PIXELS_PER_MODULE, omitsize=False, light="#fff")
    else:
        symbol.save(out, kind="png", border=_QUIET_ZONE, scale=_PIXELS_PER_MODULE)
    return out.getvalue()


def choose_media_type(accept: str) -> str | None:
    """Return which of JSON, SVG and PNG an Accept header prefers; None if it takes none of them.

    As in RFC 9110, 12.5.1: the most specific range that fits a form decides how much it is wanted, and 0 refuses it. Of
    forms wanted alike the one comes first that was named more exactly, then the one named first.
    """
    ranges = _read_ranges(accept.strip() or "*/*")
    fitting = [(one, found) for one in OFFERED if (found := _find_range(one, ranges)) is not None and found.quality > 0]
    if not fitting:
        return None
    return min(fitting, key=lambda pair: (-pair[1].quality, -pair[1].exactness, pair[1].place))[0]


def _find_range(media_type: str, ranges: list[_Range]) -> _Range | None:
    names = {media_type, media_type.partition("/")[0] + "/*", "*/*"}
    fitting = [one for one in ranges if one.name in names]
    return max(fitting, key=lambda one: (one.exactness, -one.place), default=None)


def _read_ranges(accept: str) -> list[_Range]:
    ranges = []
    for place, part in enumerate(accept.split(",")[:_MOST_RANGES]):
        name, *parameters = (one.strip().lower() for one in part.split(";"))
        quality = _read_quality(next((one[2:] for one in parameters if one.startswith("q=")), "1"))
        if quality is not None:
            ranges.append(_Range(name, quality, 2 - name.count("*"), place))
    return ranges


def _read_quality(text: str) -> float | None:
    return float(text) if _QUALITY.fullmatch(text) else None
