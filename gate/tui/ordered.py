"""Puts on the screen what the organiser ordered: the gate out of order, and messages until they are read."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import App
from textual.screen import Screen

from gate.orders import StaffNotice
from gate.outcome import GateView, Outcome
from gate.tui.cards import Wording
from gate.tui.screens.held import HeldScreen, NoticeScreen
from shared.problems import TicketTokenError


class OrderWatch:
    """Looks at the gate's condition again and again; a guest goes before a message."""

    def __init__(self, app: App[None], lane: Screen[None], view: GateView, wording: Callable[[], Wording]) -> None:
        self._app = app
        self._lane = lane
        self._view = view
        self._wording = wording
        self._held: HeldScreen | None = None
        self._free_s = 0.0

    def note_outcome(self, outcome: Outcome) -> None:
        """Somebody was answered: leave that on the screen for its time."""
        display = self._wording().display
        self._free_s = display.clock.monotonic() + (
            display.admitted_s if outcome.verdict.admitted else display.refused_s
        )

    def look(self) -> None:
        """Show what is ordered now."""
        status = self._view.status()
        self._show_hold(status.held)
        free = self._app.screen in (self._lane, self._held) and self._now_s() >= self._free_s
        if status.notices and free:
            self._show_notice(status.notices[0])

    def _show_hold(self, reason: str | None) -> None:
        held = self._held
        if held is not None and held.reason != reason and self._app.screen is held:
            _ = held.dismiss()
            self._held = held = None
        if reason is not None and held is None:
            self._held = HeldScreen(reason, self._wording())
            _ = self._app.push_screen(self._held)

    def _show_notice(self, notice: StaffNotice) -> None:
        def put_away(read: bool | None) -> None:  # noqa: FBT001 - what the screen returns
            if read:
                self._app.run_worker(self._confirm(notice))

        _ = self._app.push_screen(NoticeScreen(notice, self._wording()), put_away)

    async def _confirm(self, notice: StaffNotice) -> None:
        try:
            await self._view.confirm_notice(notice.command)
        except TicketTokenError as problem:
            self._app.notify(self._wording().plain(str(problem), 200), severity="error", markup=False)

    def _now_s(self) -> float:
        return self._wording().display.clock.monotonic()
