"""`tickettoken-gate film`: a film script into a video file."""

from __future__ import annotations

import sys
from pathlib import Path

from gate.film.script import load_film
from gate.film.writer import render_film

_TELL_EVERY = 100


def film(script: Path, out: Path, *, quiet: bool) -> int:
    """Render a film and say how long it took.

    Raises:
        InputUnusable: the script or the path cannot be used.
        Unavailable: the disk does not take the file.
    """
    report = render_film(load_film(script), out, None if quiet else _show_progress)
    sys.stdout.write(
        f"{out}: {report.frames} frames in {report.seconds:.1f} s ({report.ms_per_frame:.1f} ms a frame)\n"
    )
    return 0


def _show_progress(done: int, total: int) -> None:
    if done % _TELL_EVERY and done != total:
        return
    sys.stderr.write(f"\r{done} of {total} frames" + ("\n" if done == total else ""))
    sys.stderr.flush()
