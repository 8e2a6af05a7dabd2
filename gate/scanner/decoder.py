"""From the pixels of one picture to the texts of the QR codes in it."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
import zxingcpp

from gate.scanner.frames import Image
from gate.scanner.region import cut_regions

_CELL_PX = 40
_STEP_PX = 4
_LEAST_CONTRAST = 10.0
_WHOLE_EVERY = 4
"""One unread picture in so many is improved as a whole: that is dear, and mostly there is nobody in front of the camera."""

_THOROUGH_EVERY = 4
"""While nothing new is seen, one picture in so many is looked at thoroughly, beside the codes that are seen quickly."""


class Decoder(Protocol):
    """Reads QR codes; one instance belongs to one thread."""

    def decode(self, image: Image) -> list[str]:
        """Return the text of each code found in a gray or colour picture, in no particular order."""
        ...


class ZxingDecoder:
    """A fast look, then a thorough look, then looks at what was seen but not read, improved in several ways.

    The fast look splits black from white by the histogram of the whole picture and settles most pictures in a fifth
    of the time of the thorough one, which also tries light codes on dark, turned codes and smaller scales. Where the thorough
    look sees a code and cannot read it, that region alone is improved in each way in turn until one helps. Now and then the
    whole picture is improved instead, in a different way each time: some codes are not even seen before.

    The fast look does not see a light code on dark beside a dark one on light. While it finds only what it found before,
    every fourth picture gets the thorough look as well, so that whoever holds the easy code hides nobody for long.
    """

    def __init__(self) -> None:
        self._turn = 0
        self._unread = 0
        self._seen: frozenset[str] = frozenset()
        self._unchanged = 0

    def decode(self, image: Image) -> list[str]:
        """Return the text of each code found in a gray or colour picture, in no particular order."""
        gray = to_gray(image)
        texts = _look_quickly(gray)
        if texts:
            return self._look_beside(gray, texts)
        return _look_hard(gray) or self._improve_whole(gray)

    def _look_beside(self, gray: Image, texts: list[str]) -> list[str]:
        if not self._seen.issuperset(texts):
            self._seen, self._unchanged = frozenset(texts), 0
            return texts
        self._unchanged = (self._unchanged + 1) % _THOROUGH_EVERY
        return texts if self._unchanged else list(dict.fromkeys([*texts, *_look_hard(gray)]))

    def _improve_whole(self, gray: Image) -> list[str]:
        self._unread = (self._unread + 1) % _WHOLE_EVERY
        if self._unread or not has_contrast(gray):
            return []
        improve = _IMPROVEMENTS[self._turn]
        self._turn = (self._turn + 1) % len(_IMPROVEMENTS)
        return _texts(_look_thoroughly(improve(gray)))


def to_gray(image: Image) -> Image:
    """Return a picture's brightness, (height, width); a gray picture is returned as it is."""
    if image.ndim == 2:
        return image
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def has_contrast(gray: Image) -> bool:
    """Return False for a picture too even to hold a code: a covered lens, a wall, the dark."""
    coarse = gray[::_STEP_PX, ::_STEP_PX]
    cell = _CELL_PX // _STEP_PX
    rows, columns = coarse.shape[0] // cell, coarse.shape[1] // cell
    if rows == 0 or columns == 0:
        return True
    cells = coarse[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell)
    return bool(cells.std(axis=(1, 3), dtype=np.float32).max() >= _LEAST_CONTRAST)


def _look_quickly(gray: Image) -> list[str]:
    found = zxingcpp.read_barcodes(
        gray,
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2),
        try_rotate=False,
        try_downscale=False,
        try_invert=False,
        text_mode=zxingcpp.TextMode.Plain,
        binarizer=zxingcpp.Binarizer.GlobalHistogram,
    )
    return _texts(found)


def _look_hard(gray: Image) -> list[str]:
    found = _look_thoroughly(gray)
    regions = cut_regions(gray, (code for code in found if not code.valid))
    return list(dict.fromkeys([*_texts(found), *(text for region in regions for text in _improve(region))]))


def _improve(region: Image) -> list[str]:
    for improve in _IMPROVEMENTS:
        texts = _texts(_look_thoroughly(improve(region)))
        if texts:
            return texts
    return []


def _look_thoroughly(gray: Image) -> list[zxingcpp.Barcode]:
    """Return the codes of a picture, also those that were seen and could not be read."""
    return zxingcpp.read_barcodes(
        gray,
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2),
        text_mode=zxingcpp.TextMode.Plain,
        return_errors=True,
    )


def _texts(found: list[zxingcpp.Barcode]) -> list[str]:
    return list(dict.fromkeys(code.text for code in found if code.valid and code.text))


def _enlarge(gray: Image) -> Image:
    return np.asarray(cv2.resize(gray, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _equalise(gray: Image) -> Image:
    return np.asarray(cv2.createCLAHE(clipLimit=3.0, tileGridSize=(8, 8)).apply(gray), dtype=np.uint8)


def _threshold(gray: Image) -> Image:
    binary = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 51, 5)
    return np.asarray(binary, dtype=np.uint8)


def _sharpen(gray: Image) -> Image:
    soft = cv2.GaussianBlur(gray, (0, 0), 2.0)
    return np.asarray(cv2.addWeighted(gray, 3.0, soft, -2.0, 0.0), dtype=np.uint8)


_IMPROVEMENTS = (_enlarge, _equalise, _threshold, _sharpen)
