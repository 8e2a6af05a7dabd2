"""Does reading work at all here? A code is drawn, spoiled a little as a camera would, and read."""

from __future__ import annotations

import cv2
import numpy as np
import zxingcpp

from gate.scanner.decoder import Decoder, ZxingDecoder
from gate.scanner.frames import Image
from shared.clock import Clock
from shared.problems import Unavailable

TRIAL_TEXT = "TICKETTOKEN GATE: TEST CODE"
_MODULE_PX = 6
_MARGIN = 4
_NOISE = 14.0


class DecoderBroken(Unavailable):
    """The picture library is there and does not do its work."""

    code = "decoder_broken"


def try_decoder(clock: Clock, decoder: Decoder | None = None) -> float:
    """Read a code that is known; return the milliseconds it took.

    Raises:
        DecoderBroken: something else came out, or nothing.
    """
    reader = decoder or ZxingDecoder()
    picture = draw_trial()
    began_s = clock.monotonic()
    texts = reader.decode(picture)
    took_ms = (clock.monotonic() - began_s) * 1000
    if texts != [TRIAL_TEXT]:
        raise DecoderBroken("The decoder does not read a plain test code: install this program again.")
    return took_ms


def draw_trial() -> Image:
    """Return a gray 640x480 picture of the test code, turned, out of focus and noisy."""
    code = zxingcpp.create_barcode(TRIAL_TEXT, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    dark = np.pad(np.asarray(code.to_image(scale=1, add_quiet_zones=False)) == 0, _MARGIN)
    symbol = np.where(dark, 30, 225).astype(np.uint8).repeat(_MODULE_PX, axis=0).repeat(_MODULE_PX, axis=1)
    scene = np.full((480, 640), 110, dtype=np.uint8)
    top, left = (480 - symbol.shape[0]) // 2, (640 - symbol.shape[1]) // 2
    scene[top : top + symbol.shape[0], left : left + symbol.shape[1]] = symbol
    turn = cv2.getRotationMatrix2D((320, 240), 17, 1.0)
    turned = cv2.warpAffine(scene, turn, (640, 480), borderValue=110)
    soft = cv2.GaussianBlur(turned, (0, 0), 1.2).astype(np.float32)
    noise = np.random.default_rng(1).normal(0, _NOISE, soft.shape)
    return np.asarray(np.clip(soft + noise, 0, 255), dtype=np.uint8)
