"""Draw the pictures of the gate's screen in docs/images: run `python -m docs.make_gate_pictures` from the project's root.

The screen is the real one in the scenes of its tests. Letters keep to the grid and block and line characters become shapes,
so that a picture looks the same whatever fonts there are.
"""  # noqa: INP001 - a script beside the pages, not a package

from __future__ import annotations

import asyncio
import html
import re
from pathlib import Path

from tests.tui.scenes import LARGE, SCENES, SMALL, draw_scene, normalise

IMAGES = Path(__file__).parent / "images"
PICTURES = {
    "gate-enrol": ("enrol", SMALL),
    "gate-enrolled": ("enrolled", SMALL),
    "gate-ready": ("ready", LARGE),
    "gate-admitted": ("admitted", LARGE),
    "gate-used": ("used", LARGE),
    "gate-stale": ("stale", LARGE),
    "gate-offline": ("offline", LARGE),
    "gate-help": ("help", LARGE),
    "gate-pin": ("supervisor", SMALL),
    "gate-supervisor": ("menu", SMALL),
    "gate-refusals": ("refusals", SMALL),
    "gate-override": ("why", SMALL),
    "gate-overridden": ("overridden", SMALL),
    "gate-undone": ("undone", SMALL),
    "gate-look": ("look", SMALL),
    "gate-found": ("found", SMALL),
    "gate-settings": ("settings", SMALL),
    "gate-repeat": ("repeat", SMALL),
    "gate-camera-away": ("camera-away", SMALL),
    "gate-revoked": ("revoked", SMALL),
    "gate-history": ("history", SMALL),
    "gate-event": ("event", SMALL),
    "gate-network": ("network", SMALL),
    "gate-closed": ("closed", SMALL),
    "gate-night": ("night", SMALL),
    "gate-fault": ("fault", SMALL),
    "gate-full": ("full", SMALL),
    "gate-damaged": ("damaged", SMALL),
    "gate-code": ("code", SMALL),
    "gate-held": ("held", SMALL),
    "gate-notice": ("notice", SMALL),
    "gate-drill": ("drill", SMALL),
    "gate-german": ("german", SMALL),
    "gate-small": ("admitted", SMALL),
    "gate-colourless": ("colourless", SMALL),
    "gate-ascii": ("ascii", SMALL),
}
WIDTH, HEIGHT, ABOVE_BASELINE = 12.2, 24.4, 18.5

# Quarters of a cell: upper left, upper right, lower left, lower right.
QUARTERS = dict(zip("▘▝▀▖▌▞▛▗▚▐▜▄▙▟█", range(1, 16), strict=True))
# Arms to the left, right, top and bottom.
ARMS = {"─": "lr", "│": "ud", "╭": "rd", "╮": "ld", "╰": "ru", "╯": "lu"}
HEAVY_ARMS = {"━": "lr", "┃": "ud", "┏": "rd", "┓": "ld", "┗": "ru", "┛": "lu"}

Box = tuple[float, float, float, float]


def redraw(svg: str) -> str:
    """Return a screenshot with every run of text set cell by cell."""
    clean = normalise(svg).replace("Fira Code", "DejaVu Sans Mono")
    run = re.compile(r'<text class="([^"]*-r\d+)" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>')
    return run.sub(
        lambda found: _redraw_run(found[1], float(found[2]), float(found[3]), html.unescape(found[4])), clean
    )


def _redraw_run(style: str, x: float, y: float, text: str) -> str:
    boxes: list[Box] = []
    words: list[str] = []
    for part in re.finditer(r"[▀-▟]|[─-╰]|[^\s\u00a0─-╰▀-▟]+", text):
        left = x + part.start() * WIDTH
        if part[0] in QUARTERS:
            boxes += _quarter_boxes(QUARTERS[part[0]], left, y - ABOVE_BASELINE)
        elif part[0] in ARMS or part[0] in HEAVY_ARMS:
            boxes += _line_boxes(part[0], left, y - ABOVE_BASELINE)
        else:
            size = f'textLength="{len(part[0]) * WIDTH:.1f}" lengthAdjust="spacingAndGlyphs"'
            words.append(f'<text x="{left:.1f}" y="{y:.1f}" {size}>{html.escape(part[0])}</text>')
    # A hair larger than its place, or the seams between neighbours would shine through.
    path = "".join(
        f"M{left:.1f} {top:.1f}h{wide + 0.2:.1f}v{high + 0.2:.1f}h{-wide - 0.2:.1f}z"
        for left, top, wide, high in _join(boxes)
    )
    shapes = f'<path d="{path}"/>' if path else ""
    return f'<g class="{style}">{shapes}{"".join(words)}</g>' if shapes or words else ""


def _quarter_boxes(quarters: int, left: float, top: float) -> list[Box]:
    wide, high = WIDTH / 2, HEIGHT / 2
    return [
        (left + place % 2 * wide, top + place // 2 * high, wide, high) for place in range(4) if quarters >> place & 1
    ]


def _line_boxes(char: str, left: float, top: float) -> list[Box]:
    thick = 1.2 if char in ARMS else 3.0
    middle_x, middle_y = left + (WIDTH - thick) / 2, top + (HEIGHT - thick) / 2
    arms = {
        "l": (left, middle_y, (WIDTH + thick) / 2, thick),
        "r": (middle_x, middle_y, (WIDTH + thick) / 2, thick),
        "u": (middle_x, top, thick, (HEIGHT + thick) / 2),
        "d": (middle_x, middle_y, thick, (HEIGHT + thick) / 2),
    }
    return [arms[arm] for arm in (ARMS | HEAVY_ARMS)[char]]


def _join(boxes: list[Box]) -> list[Box]:
    """Return boxes with those that stand side by side made one."""
    joined: list[Box] = []
    for box in sorted(boxes, key=lambda one: (one[1], one[3], one[0])):
        before = joined[-1] if joined else None
        if before and before[1::2] == box[1::2] and abs(before[0] + before[2] - box[0]) < 0.05:
            joined[-1] = (before[0], before[1], before[2] + box[2], before[3])
        else:
            joined.append(box)
    return joined


async def make_pictures() -> None:
    """Draw every picture and say where it is."""
    IMAGES.mkdir(exist_ok=True)
    for name, (scene, size) in PICTURES.items():
        path = IMAGES / f"{name}.svg"
        path.write_text(redraw(await draw_scene(SCENES[scene], size)), encoding="utf-8")
        print(path)  # noqa: T201 - its answer


if __name__ == "__main__":
    asyncio.run(make_pictures())
