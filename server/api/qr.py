"""Codes as pictures: a QR symbol of error level M, which survives glare and fingers best."""

from __future__ import annotations

import io

import segno

SVG = "image/svg+xml"
PNG = "image/png"

_QUIET_ZONE = 4
_PIXELS_PER_MODULE = 8


def draw(text: str, media_type: str) -> bytes:
    """Return the symbol of a code's text as SVG or PNG, with the quiet zone ISO/IEC 18004 asks for."""
    symbol = segno.make(text, error="m", boost_error=False, micro=False)
    out = io.BytesIO()
    if media_type == SVG:
        symbol.save(out, kind="svg", border=_QUIET_ZONE, scale=_PIXELS_PER_MODULE, omitsize=False)
    else:
        symbol.save(out, kind="png", border=_QUIET_ZONE, scale=_PIXELS_PER_MODULE)
    return out.getvalue()


def choose_media_type(accept: str) -> str | None:
    """Return which of JSON, SVG and PNG an Accept header prefers (RFC 9110, 12.5.1); None if it takes none of them."""
    offered = ("application/json", SVG, PNG)
    ranked = sorted(_read_ranges(accept or "*/*"), key=lambda one: -one[1])
    for wanted, quality in ranked:
        for media_type in offered:
            if quality > 0 and wanted in {"*/*", media_type, media_type.split("/")[0] + "/*"}:
                return media_type
    return None


def _read_ranges(accept: str) -> list[tuple[str, float]]:
    ranges = []
    for part in accept.split(","):
        name, *parameters = (one.strip() for one in part.split(";"))
        quality = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        try:
            ranges.append((name.lower(), float(quality)))
        except ValueError:
            continue
    return ranges
