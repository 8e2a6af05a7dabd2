"""Looking at a printed sheet without a printer: the rectangles and the words of the PDF our own library wrote."""

from __future__ import annotations

import base64
import re
import zlib

import cv2
import numpy as np

from gate.scanner.decoder import ZxingDecoder

_STREAM = re.compile(rb"/Filter \[ /ASCII85Decode /FlateDecode \][^>]*>>\s*stream\r?\n(.*?)endstream", re.DOTALL)
_RECTANGLE = re.compile(rb"(?:^|\s)([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re(?=\s)")
_DOTS_PER_POINT = 6


def read_content(pdf: bytes) -> bytes:
    """Return what draws the page."""
    streams = [zlib.decompress(base64.a85decode(found.strip()[:-2])) for found in _STREAM.findall(pdf)]
    (page,) = (one for one in streams if b" re" in one)
    return page


def read_codes(pdf: bytes) -> list[str]:
    """Return the QR codes a scanner sees on the sheet."""
    paper = np.full((round(842 * _DOTS_PER_POINT), round(596 * _DOTS_PER_POINT)), 255, np.uint8)
    for found in _RECTANGLE.findall(read_content(pdf)):
        x, y, width, height = (float(number) * _DOTS_PER_POINT for number in found)
        top = paper.shape[0] - y - height
        paper[round(top) : round(top + height), round(x) : round(x + width)] = 0
    small = cv2.resize(paper, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return ZxingDecoder().decode(small.astype(np.uint8))
