"""The situations of which golden files and pictures are made, each fully fixed: same words, same size, same pixels."""

from __future__ import annotations

import asyncio
import html
import re
from datetime import timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len

from gate.catalogue.texts import load_catalogue
from gate.orders import StaffNotice
from gate.outcome import GateStatus, Outcome
from gate.store.log import KIND
from gate.store.problems import StoreDamaged
from gate.sync.problems import ServerAway
from gate.tui.app import GateApp
from gate.tui.cards import Wording
from gate.tui.display import Display
from gate.tui.enrol import EnrolApp, Enrolled
from shared.admission.verdict import Reason, Verdict, admit, refuse
from shared.clock import unix_ms
from shared.ids import CommandId
from shared.problems import TicketTokenError
from tests.tui.scripted import (
    ADMITTED,
    DOUBLE,
    NOW,
    OFFLINE,
    ONLINE,
    STALE,
    USED,
    ScriptedView,
    fixed_display,
    make_outcome,
)
from tests.tui.scripted_staff import PIN

_EARLIER: tuple[Verdict, ...] = (
    admit(),
    admit(),
    refuse(Reason.CODE_STALE),
    admit(),
    admit(Reason.OK_REENTRY),
    refuse(Reason.WRONG_ZONE),
    admit(),
    admit(),
)
HISTORY = tuple(
    make_outcome(verdict, NOW - timedelta(seconds=9 * (8 - place)), place + 10)
    for place, verdict in enumerate(_EARLIER)
)

SMALL = (80, 24)
LARGE = (140, 40)


SIGNED_IN = ("s", *PIN, "enter")
FAULT = replace(make_outcome(refuse(Reason.INTERNAL_ERROR)), scan=None, gate_seq=None)


DAMAGED = StoreDamaged(f"/var/lib/tickettoken-gate/log.db is damaged. {KIND.remedy}")


NOTICE = StaffNotice(
    command=CommandId(UUID(int=5)), text="Lost child at the box office: red coat, six years old.", at_ms=unix_ms(NOW)
)


class Scene(Struct, frozen=True, kw_only=True):
    """One situation: what was scanned, last the one that is on the screen, and how the gate is, or what broke it."""

    told: tuple[Outcome, ...] = ()
    status: GateStatus = ONLINE
    language: str = "en"
    colour: bool = True
    unicode: bool = True
    keys: tuple[str, ...] = ()
    drill: bool = False
    broken: TicketTokenError | None = None
    enrolling: bool = False


TYPED = ("tab", *"TT1-7Q2F", "enter")


SCENES = {
    "enrol": Scene(enrolling=True, keys=TYPED),
    "enrolled": Scene(enrolling=True, keys=("1", *TYPED)),
    "ready": Scene(),
    "admitted": Scene(told=(*HISTORY, ADMITTED)),
    "used": Scene(told=(*HISTORY, USED)),
    "stale": Scene(told=(*HISTORY, STALE)),
    "offline": Scene(told=HISTORY, status=OFFLINE, keys=("space",)),
    "repeat": Scene(told=(*HISTORY, ADMITTED, DOUBLE)),
    "camera-away": Scene(told=HISTORY, status=replace(ONLINE, camera_alive=False, camera_fps=0.0), keys=("space",)),
    "revoked": Scene(told=HISTORY, status=replace(OFFLINE, revoked=True, keys_until=None), keys=("space",)),
    "help": Scene(told=HISTORY, keys=("f1",)),
    "german": Scene(told=(*HISTORY, USED), language="de"),
    "colourless": Scene(told=(*HISTORY, USED), colour=False),
    "ascii": Scene(told=(*HISTORY, STALE), colour=False, unicode=False, language="de"),
    "supervisor": Scene(told=(*HISTORY, USED), keys=("s", "1", "2", "enter")),
    "menu": Scene(told=(*HISTORY, USED), keys=SIGNED_IN),
    "refusals": Scene(told=(*HISTORY, USED), keys=(*SIGNED_IN, "1")),
    "why": Scene(told=(*HISTORY, USED), keys=(*SIGNED_IN, "1", "1")),
    "overridden": Scene(told=(*HISTORY, USED), keys=(*SIGNED_IN, "1", "1", "5")),
    "undone": Scene(told=(*HISTORY, USED), keys=(*SIGNED_IN, "2", "1", "2")),
    "look": Scene(told=HISTORY, keys=("p", *"inside", "enter")),
    "found": Scene(told=HISTORY, keys=(*SIGNED_IN, "3", *"KQFW3M2X", "enter")),
    "history": Scene(told=HISTORY, keys=("h", "down", "down", "down")),
    "event": Scene(told=HISTORY, keys=("i",)),
    "network": Scene(told=HISTORY, status=OFFLINE, keys=("n",)),
    "closed": Scene(told=HISTORY, keys=("c",)),
    "settings": Scene(told=HISTORY, keys=("o",)),
    "night": Scene(told=HISTORY, keys=("q",)),
    "fault": Scene(told=(*HISTORY, FAULT)),
    "full": Scene(told=(*HISTORY, replace(FAULT, fault="disk_full"))),
    "damaged": Scene(told=HISTORY, broken=DAMAGED),
    "code": Scene(told=HISTORY, keys=("space", "t")),
    "held": Scene(told=HISTORY, status=replace(ONLINE, held="Too many people in the lower hall.")),
    "notice": Scene(status=replace(ONLINE, notices=(NOTICE,))),
    "drill": Scene(told=(*HISTORY, ADMITTED), drill=True),
}


async def draw_scene(scene: Scene, size: tuple[int, int]) -> str:
    """Run the screen at a size, let the scene happen, and return the picture as SVG."""
    view = ScriptedView(scene.status)
    display = replace(fixed_display(), colour=scene.colour, unicode=scene.unicode, drill=scene.drill)
    if scene.enrolling:
        return await _draw_enrolment(scene, display, size)
    app = await asyncio.to_thread(GateApp, view, scene.language, display)
    async with asyncio.timeout(30), app.run_test(size=size) as pilot:
        for outcome in scene.told:
            view.tell(outcome)
        if scene.broken is not None:
            view.stop(scene.broken)
        await pilot.pause()
        await pilot.press(*scene.keys)
        app.ordered.look()
        await pilot.pause()
        return app.export_screenshot()


async def _draw_enrolment(scene: Scene, display: Display, size: tuple[int, int]) -> str:
    wording = Wording(catalogue=load_catalogue(scene.language), display=display)
    app = await asyncio.to_thread(EnrolApp, become_a_gate, wording)
    async with asyncio.timeout(30), app.run_test(size=size) as pilot:
        await pilot.press(*scene.keys)
        await pilot.pause()
        return app.export_screenshot()


async def become_a_gate(server: str, code: str) -> Enrolled:
    """Know one address and one code; the clock of this machine is slow."""
    if server != "https://1" or code != "TT1-7Q2F":
        raise ServerAway(f"The server at {server} does not answer (TimeoutError): check the address and the network.")
    return Enrolled(gate="North 1", event="Harbour Lights 2026", clock_offset_s=-74.2)


def normalise(svg: str) -> str:
    """Return a picture without what differs from run to run or comes from afar: its number and the fonts' addresses."""
    local = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return re.sub(r"terminal-\d+", "terminal", local)


def colours_of(svg: str) -> set[str]:
    """Return a picture's colours that are no shade of grey, but for those of the window around it."""
    window = {"#ff5f57", "#febc2e", "#28c840", "#c5c8c6"}
    colours = {colour.lower() for colour in re.findall(r"#[0-9a-fA-F]{6}\b", svg)} - window
    return {one for one in colours if not one[1:3] == one[3:5] == one[5:7]}


def read_text(svg: str) -> str:
    """Return the words of a picture, each in its row and column."""
    runs: dict[int, list[tuple[int, str]]] = {}
    for x, y, text in re.findall(r'<text class="[^"]*-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg):
        row, column = round((float(y) - 20) / 24.4), round(float(x) / 12.2)
        runs.setdefault(row, []).append((column, html.unescape(text).replace("\u00a0", " ")))
    return "\n".join(_join_runs(runs.get(row, [])) for row in range(max(runs) + 1))


def _join_runs(runs: list[tuple[int, str]]) -> str:
    line = ""
    for column, text in sorted(runs):
        line += " " * (column - cell_len(line)) + text
    return line.rstrip()
