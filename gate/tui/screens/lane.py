"""The one screen that does the work: a verdict that cannot be missed, and beside it all that says how the gate is."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import ModalScreen, Screen

from gate.catalogue.texts import Tone, load_catalogue, next_language
from gate.outcome import GateInfo, GateStatus, GateView, Outcome
from gate.preferences import ScreenMemory
from gate.tui.badge import describe_link
from gate.tui.cards import (
    Wording,
    describe_counts,
    describe_outcome,
    describe_ready,
    describe_repeat,
    describe_row,
    hold_s,
    is_quiet,
    is_repeat,
)
from gate.tui.flows import StaffFlows
from gate.tui.keys import LANE_KEYS
from gate.tui.pages import describe_event, describe_network
from gate.tui.screens.choice import ChoiceScreen
from gate.tui.screens.overlay import CodeScreen, HelpScreen
from gate.tui.screens.page import GivesWay, Line, PageScreen
from gate.tui.sound import Speaker
from gate.tui.widgets.badge import LinkBadge
from gate.tui.widgets.counters import Counters
from gate.tui.widgets.keybar import KeyBar, list_keys
from gate.tui.widgets.recent import RecentScans
from gate.tui.widgets.titlebar import TitleBar
from gate.tui.widgets.verdict import VerdictPanel
from gate.tui.widgets.viewfinder import Picture, Viewfinder
from shared.problems import TicketTokenError

Describe = Callable[[GateInfo, GateStatus, Wording], tuple[Line, ...]]
_REMEMBERED = 50
_SUBMIT_TIMEOUT_S = 10
_NAME_COLUMNS = 60
_WIDTHS = [(0, "-slim"), (72, "-normal"), (120, "-wide")]
_HEIGHTS = [(0, "-flat"), (14, "-low"), (32, "-high")]


class OutcomeArrived(Message):
    """The gate has decided on somebody."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class LaneScreen(Screen[None]):
    """Shows each outcome at once, holds it for a while and is then ready again; asks the gate how it is in between."""

    HORIZONTAL_BREAKPOINTS = _WIDTHS
    VERTICAL_BREAKPOINTS = _HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = [*LANE_KEYS]

    def __init__(self, view: GateView, wording: Wording, memory: ScreenMemory | None, speaker: Speaker) -> None:
        super().__init__()
        self._memory = memory
        self._speaker = speaker
        self._flows = StaffFlows(self, view, lambda: self.wording)
        self._view = view
        self._clock = wording.display.clock
        self._recent: deque[Outcome] = deque(maxlen=_REMEMBERED)
        self._status: GateStatus | None = None
        self._shown: Outcome | None = None
        self._repeated: Outcome | None = None
        self._until_s = 0.0
        self._muted = wording.display.muted
        self.wording = wording

    def compose(self) -> ComposeResult:
        """Lay out the verdict with the gate's condition around it."""
        display = self.wording.display
        yield TitleBar(id="title")
        with Horizontal(id="work"):
            yield VerdictPanel(unicode=display.unicode)
            with Vertical(id="side"):
                yield Viewfinder(colour=display.colour, unicode=display.unicode)
                yield Counters(id="counters")
                yield RecentScans(id="recent")
        yield LinkBadge(id="badge")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        """Fill every part once, then keep it fresh."""
        self._speak()
        self.tick()
        self.set_interval(self.wording.display.status_every_s, self.tick)
        self.set_interval(self.wording.display.picture_every_s, self.look)

    def on_resize(self) -> None:
        """Fetch the picture anew for the size the viewfinder will have."""
        self.call_after_refresh(self.look)

    def on_outcome_arrived(self, message: OutcomeArrived) -> None:
        """Show a new answer in place of whatever is there; a double read only leaves a small mark."""
        outcome = message.outcome
        display = self.wording.display
        if is_repeat(outcome):
            self._repeated = outcome
            # The mark leaves with the answer it belongs to; without one it has a time of its own.
            self._until_s = self._until_s if self._shown else self._clock.monotonic() + display.admitted_s
            self._write_verdict()
            return
        self._recent.appendleft(outcome)
        self._write_recent()
        if is_quiet(outcome):
            return
        self._shown, self._repeated = outcome, None
        self._until_s = self._clock.monotonic() + hold_s(outcome, display)
        if not self._muted:
            self._sound(self.wording.catalogue.tone(outcome.verdict.reason))
        self._close_overlay()
        self._write_verdict()
        self.tick()

    def _sound(self, tone: Tone) -> None:
        async def play() -> None:
            await self._speaker.play(tone)

        if self._speaker.has_player:
            self.run_worker(play, group="sound", exclusive=True)  # type: ignore[arg-type] # the stub knows no such coroutine
        else:
            self._speaker.ring(tone)

    def tick(self) -> None:
        """Ask how the gate is, and be ready again when an answer has stood long enough."""
        self._status = self._view.status()
        if (self._shown or self._repeated) and self._clock.monotonic() >= self._until_s:
            self._shown = self._repeated = None
        if self._shown is None:
            self._write_verdict()
        self._write_status(self._status)

    def look(self) -> None:
        """Fetch the camera's newest picture in the viewfinder's size."""
        finder = self.query_one(Viewfinder)
        pixels = self._view.thumbnail(finder.size.width, 2 * finder.size.height)
        finder.picture = None if pixels is None else Picture(pixels=pixels)

    def action_clear(self) -> None:
        """Put the answer away."""
        self._shown = self._repeated = None
        self._write_verdict()

    def action_mute(self) -> None:
        """Turn the sound off or on; that it is off stays on the screen."""
        self._muted = not self._muted
        self.tick()

    def action_language(self) -> None:
        """Say everything in the next language."""
        language = next_language(self.wording.catalogue.language)
        self.wording = replace(self.wording, catalogue=load_catalogue(language))
        self._speak()
        self.tick()

    async def action_help(self) -> None:
        """Show what every key does."""
        await self.app.push_screen(HelpScreen(list_keys(self, self.wording), self.wording))

    def action_staff(self) -> None:
        """Let a supervisor decide; a second press does not begin anew."""
        self.run_worker(self._flows.supervise(tuple(self._recent)), group="staff", exclusive=True)

    def action_peek(self) -> None:
        """Look at tickets without using them."""
        self.run_worker(self._flows.look(), group="staff", exclusive=True)

    def action_history(self) -> None:
        """Show the last records; one of them may be put right."""
        self.run_worker(self._flows.look_back(), group="staff", exclusive=True)

    async def action_info(self) -> None:
        """Show the event and its rules."""
        title = self.wording.catalogue.texts.pages.info_title
        await self._show_page(title, describe_event)

    async def action_network(self) -> None:
        """Show how the gate stands to its server."""
        title = self.wording.catalogue.texts.pages.network_title
        await self._show_page(title, describe_network)

    def action_close_lane(self) -> None:
        """Look at no codes until somebody opens the lane again."""
        self.run_worker(self._flows.close_lane(), group="staff", exclusive=True)

    def action_settings(self) -> None:
        """Choose sound and language."""
        self.run_worker(self._set(), group="staff", exclusive=True)

    async def action_ask_code(self) -> None:
        """Ask for a typed code."""
        await self.app.push_screen(CodeScreen(self.wording), self.give)

    def give(self, text: str | None) -> None:
        """Have a code decided on that came from the keyboard."""
        if text:
            self.run_worker(self._decide(text))

    async def _decide(self, text: str) -> None:
        try:
            async with asyncio.timeout(_SUBMIT_TIMEOUT_S):
                await self._view.submit(text)
        except (TicketTokenError, TimeoutError) as problem:
            labels = self.wording.catalogue.texts.labels
            told = labels.code_failed.format(problem=str(problem) or f"> {_SUBMIT_TIMEOUT_S} s")
            self.notify(self.wording.plain(told, 200), severity="error", markup=False)

    async def _show_page(self, title: str, describe: Describe) -> None:
        page = PageScreen(title, lambda: describe(self._view.info(), self._view.status(), self.wording), self.wording)
        await self.app.push_screen(page)

    async def _set(self) -> None:
        while True:
            labels = self.wording.catalogue.texts.staff
            sound = labels.sound.format(state=labels.sound_off if self._muted else labels.sound_on)
            language = labels.language.format(name=self.wording.catalogue.texts.name)
            path = self._memory.path if self._memory is not None else "-"
            title = f"{labels.settings_title}. {labels.keys_file.format(path=path)}"
            asked: ModalScreen[int] = ChoiceScreen(title, (sound, language), self.wording)
            match await self.app.push_screen_wait(asked):
                case 0:
                    self.action_mute()
                case 1:
                    self.action_language()
                case _:
                    return
            if self._memory is not None:
                await asyncio.to_thread(self._remember, self._memory)

    def _remember(self, memory: ScreenMemory) -> None:
        memory.keep(language=self.wording.catalogue.language, sound=not self._muted)

    def _close_overlay(self) -> None:
        covering = self.app.screen
        if isinstance(covering, GivesWay) and isinstance(covering, Screen):
            _ = covering.dismiss()

    def _speak(self) -> None:
        labels, write = self.wording.catalogue.texts.labels, self.wording.write
        recent = self.query_one(RecentScans)
        recent.caption, recent.empty = write(labels.recent), write(labels.recent_none)
        self.query_one(KeyBar).keys = list_keys(self, self.wording)
        self._write_verdict()
        self._write_recent()

    def _write_verdict(self) -> None:
        panel = self.query_one(VerdictPanel)
        shown, repeated = self._shown, self._repeated
        panel.card = describe_outcome(shown, self.wording) if shown else describe_ready(self._status, self.wording)
        panel.repeat = describe_repeat(repeated, self.wording) if repeated else ""

    def _write_recent(self) -> None:
        rows = tuple(describe_row(outcome, self.wording) for outcome in self._recent)
        self.query_one(RecentScans).rows = rows

    def _write_status(self, status: GateStatus) -> None:
        labels, wording, now = self.wording.catalogue.texts.labels, self.wording, self._clock.now()
        title = self.query_one(TitleBar)
        names = (wording.plain(name, _NAME_COLUMNS) for name in (status.gate_name, status.event_name))
        title.place = wording.write(" · ").join(name for name in names if name)
        notices = (labels.drill if wording.display.drill else "", labels.muted if self._muted else "")
        title.notice = wording.write("  ".join(notice for notice in notices if notice))
        title.time = f"{now.astimezone(wording.display.zone):%H:%M:%S}"
        alive = labels.camera.format(fps=f"{status.camera_fps:.0f}") if status.camera_alive else labels.camera_off
        self.query_one(Viewfinder).caption = wording.write(alive)
        self.query_one(Counters).tallies = describe_counts(status, wording)
        self.query_one(LinkBadge).parts = describe_link(status, now, wording)
