"""The dark and light squares of a QR code for a text."""

from __future__ import annotations

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from shared.problems import InputUnusable


def draw_symbol(text: str, error: str) -> NDArray[np.bool_]:
    """Return the code's modules as (n, n), True where dark, without a quiet zone (ISO/IEC 18004).

    Texts of digits, capitals and ` $%*+-./:` take the compact alphanumeric mode. `error` is L, M, Q or H. Raises
    InputUnusable when the text does not fit.
    """
    try:
        code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=error)
    except (ValueError, RuntimeError) as exc:
        raise InputUnusable(f"a text of {len(text)} characters does not fit a QR code at level {error}") from exc
    picture = np.asarray(code.to_image(scale=1, add_quiet_zones=False))
    return np.asarray(picture == 0, dtype=np.bool_)
