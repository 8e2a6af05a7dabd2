"""A reader that follows: where a code was seen last is looked at before the whole picture is looked at thoroughly.

It is here, not in the gate, because it reads no more codes for a millisecond than the gate's own way (see docs/decisions/019).
"""

from __future__ import annotations

import numpy as np
import zxingcpp
from msgspec import Struct
from numpy.typing import NDArray

from gate.scanner.decoder import ZxingDecoder

Image = NDArray[np.uint8]
_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
_MARGIN = 0.5
_MOST_MISSES = 8
_LEAST_PX = 30


class Box(Struct, frozen=True, kw_only=True):
    """A part of a picture in pixels; the far edges may lie beyond it."""

    left: int
    top: int
    right: int
    bottom: int


class FollowingReader:
    """Whole picture quickly; then the part around the last code quickly and thoroughly; then as the gate does."""

    def __init__(self) -> None:
        self._whole = ZxingDecoder()
        self._box: Box | None = None
        self._misses = 0

    def read(self, image: Image) -> list[str]:
        """Return the texts found."""
        found = _look(image, thorough=False)
        if not found and self._box is not None:
            part = np.ascontiguousarray(
                image[self._box.top : self._box.bottom, self._box.left : self._box.right], dtype=np.uint8
            )
            texts = _texts(_look(part, thorough=False) or _look(part, thorough=True))
            if texts:
                return texts
        if not found:
            # A code that is seen but not read yet says where to look next time.
            found = _look(image, thorough=True, errors=True)
        self._note(found)
        return _texts(found) or self._whole.decode(image)

    def _note(self, found: list[zxingcpp.Barcode]) -> None:
        if found:
            self._box, self._misses = _surround(found), 0
            return
        self._misses += 1
        if self._misses > _MOST_MISSES:
            self._box = None


def _look(image: Image, *, thorough: bool, errors: bool = False) -> list[zxingcpp.Barcode]:
    if thorough:
        return zxingcpp.read_barcodes(image, formats=_QR, return_errors=errors)
    return zxingcpp.read_barcodes(
        image,
        formats=_QR,
        try_rotate=False,
        try_downscale=False,
        try_invert=False,
        binarizer=zxingcpp.Binarizer.GlobalHistogram,
    )


def _texts(found: list[zxingcpp.Barcode]) -> list[str]:
    return list(dict.fromkeys(code.text for code in found if code.valid and code.text))


def _surround(found: list[zxingcpp.Barcode]) -> Box | None:
    corners = [
        corner
        for place in (code.position for code in found)
        for corner in (place.top_left, place.top_right, place.bottom_left, place.bottom_right)
    ]
    across, down = [corner.x for corner in corners], [corner.y for corner in corners]
    size = max(max(across) - min(across), max(down) - min(down))
    if size < _LEAST_PX:
        return None
    wide = round(size * _MARGIN)
    return Box(
        left=max(0, min(across) - wide),
        top=max(0, min(down) - wide),
        right=max(across) + wide,
        bottom=max(down) + wide,
    )
