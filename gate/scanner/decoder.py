"""From the pixels of one picture to the texts of the QR codes in it."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
import zxingcpp

from gate.scanner.frames import Image

_CELL_PX = 40
_STEP_PX = 4
_LEAST_CONTRAST = 10.0


class Decoder(Protocol):
    """Reads QR codes; one instance belongs to one thread."""

    def decode(self, image: Image) -> list[str]:
        """Return the text of each code found in a gray or colour picture, in no particular order."""
        ...


class ZxingDecoder:
    """A fast look, then a thorough look, then a thorough look at a picture improved in one way.

    The fast look splits black from white by the histogram of the whole picture and settles most pictures in a fifth
    of the time of the thorough one, which also tries light codes on dark, turned codes and smaller scales. The
    improvement is a different one each time, so that a code held up for several pictures meets them all.
    """

    def __init__(self) -> None:
        self._turn = 0

    def decode(self, image: Image) -> list[str]:
        """Return the text of each code found in a gray or colour picture, in no particular order."""
        gray = to_gray(image)
        texts = _look_quickly(gray) or _look_thoroughly(gray)
        if texts or not has_contrast(gray):
            return texts
        improve = _IMPROVEMENTS[self._turn]
        self._turn = (self._turn + 1) % len(_IMPROVEMENTS)
        return _look_thoroughly(improve(gray))


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


def _look_thoroughly(gray: Image) -> list[str]:
    found = zxingcpp.read_barcodes(
        gray,
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2),
        text_mode=zxingcpp.TextMode.Plain,
    )
    return _texts(found)


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
