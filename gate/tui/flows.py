"""What a supervisor does at the screen, one question after the other; scans go on above every question."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from textual.screen import ModalScreen, Screen

from gate.catalogue.labels import StaffLabels
from gate.outcome import GateView, Outcome
from gate.ports import RecordKind
from gate.staff import Past, Remedy, Ruling, Staff
from gate.tui.cards import Wording
from gate.tui.screens.choice import MOST, ChoiceScreen
from gate.tui.screens.closed import ClosedScreen
from gate.tui.screens.history import HistoryScreen
from gate.tui.screens.peek import PeekScreen
from gate.tui.screens.pin import PinScreen
from shared.admission.override import BY_PEOPLE, OverrideReason, may_override
from shared.ids import ScanId
from shared.problems import TicketTokenError

_NAME_COLUMNS = 30
_TELL_COLUMNS = 200


class StaffFlows:
    """Asks on behalf of the lane; each method is run as a worker of the lane's screen."""

    def __init__(self, lane: Screen[None], view: GateView, wording: Callable[[], Wording]) -> None:
        self._lane = lane
        self._view = view
        self._wording_now = wording

    async def supervise(self, recent: Sequence[Outcome]) -> None:
        """Sign in where nobody is, then ask what is to be done; ``recent`` are the last answers, newest first."""
        try:
            await self._supervise(recent)
        except TicketTokenError as problem:
            self._tell(self._labels.failed.format(problem=problem), bad=True)

    async def look(self) -> None:
        """Look at tickets until the page is closed; a found one may be let in."""
        handle_hash = await self._lane.app.push_screen_wait(PeekScreen(self._view, self._wording))
        if not handle_hash:
            return
        try:
            reason = await self._ask_why()
            if reason is not None:
                self._report(await self._staff.admit_found(handle_hash, reason))
        except TicketTokenError as problem:
            self._tell(self._labels.failed.format(problem=problem), bad=True)

    async def look_back(self) -> None:
        """Show the last records; whoever wants to put one right has to be a supervisor."""
        try:
            asked: ModalScreen[Past | None] = HistoryScreen(await self._staff.history(), self._wording)
            chosen = await self._lane.app.push_screen_wait(asked)
            if chosen is not None and await self._sign_in():
                await self._put_right(chosen)
        except TicketTokenError as problem:
            self._tell(self._labels.failed.format(problem=problem), bad=True)

    async def close_lane(self) -> None:
        """Cover the screen, and have no codes looked at, until somebody opens the lane again."""
        closed: ModalScreen[None] = ClosedScreen(self._wording)
        await self._do_or_tell(self._staff.close_lane())
        await self._lane.app.push_screen_wait(closed)
        await self._do_or_tell(self._staff.open_lane())

    async def _do_or_tell(self, work: Awaitable[None]) -> None:
        try:
            await work
        except TicketTokenError as problem:
            self._tell(str(problem), bad=True)

    async def _supervise(self, recent: Sequence[Outcome]) -> None:
        if not await self._sign_in():
            return
        session = self._staff.session()
        labels = self._labels
        title = labels.menu_title.format(who=self._wording.plain(session.who.label if session else "", _NAME_COLUMNS))
        finding = (labels.menu_find,) if self._staff.may_search else ()  # where nobody may, nobody is asked
        menu = (labels.menu_override, labels.menu_undo, *finding, labels.menu_sign_out)
        chosen = await self._choose(title, menu)
        if chosen == 0:
            await self._override(recent)
        elif chosen == 1:
            await self._undo()
        elif chosen == len(menu) - 1:
            self._staff.sign_out()
            self._tell(labels.signed_out)
        elif chosen >= 0:
            await self.look()

    async def _sign_in(self) -> bool:
        if self._staff.session() is not None:
            return True
        if not self._staff.supervisors():
            self._tell(self._labels.pin_nobody, bad=True)
            return False
        asked: ModalScreen[bool] = PinScreen(self._staff, self._wording)
        return await self._lane.app.push_screen_wait(asked)

    async def _override(self, recent: Sequence[Outcome]) -> None:
        refused = [one for one in recent if _can_be_let_in(one)][:MOST]
        if not refused:
            self._tell(self._labels.nothing_refused)
            return
        at = await self._choose(self._labels.which_refusal, tuple(self._describe(one) for one in refused))
        reason = await self._ask_why() if at >= 0 else None
        scan = refused[at].scan
        if reason is not None and scan is not None:
            self._report(await self._staff.override(scan, reason))

    async def _undo(self) -> None:
        offered = (await self._staff.undoable())[:MOST]
        if not offered:
            self._tell(self._labels.nothing_to_undo)
            return
        now = self._wording.display.clock.now()
        lines = tuple(f"{self._wording.time(one.at, today=now)}  {one.number}  {one.code_id[:5]}" for one in offered)
        at = await self._choose(self._labels.which_admission, lines)
        if at >= 0:
            await self._take_back(offered[at].scan)

    async def _put_right(self, past: Past) -> None:
        if past.remedy is Remedy.UNDO:
            await self._take_back(past.scan)
            return
        reason = await self._ask_why()
        if reason is not None:
            self._report(await self._staff.override(past.scan, reason))

    async def _take_back(self, scan: ScanId) -> None:
        texts = self._wording.catalogue.texts.undos
        why = await self._choose(self._labels.why_undo, tuple(texts[reason] for reason in BY_PEOPLE))
        if why >= 0:
            self._report(await self._staff.undo(scan, BY_PEOPLE[why]))

    async def _ask_why(self) -> OverrideReason | None:
        reasons = tuple(OverrideReason)
        texts = self._wording.catalogue.texts.overrides
        why = await self._choose(self._labels.why_override, tuple(texts[reason] for reason in reasons))
        return reasons[why] if why >= 0 else None

    async def _choose(self, title: str, lines: tuple[str, ...]) -> int:
        asked: ModalScreen[int] = ChoiceScreen(title, lines, self._wording)
        return await self._lane.app.push_screen_wait(asked)

    def _describe(self, outcome: Outcome) -> str:
        wording = self._wording
        reason = outcome.verdict.reason
        time = wording.time(outcome.at, today=wording.display.clock.now())
        whose = wording.plain(outcome.holder.name, _NAME_COLUMNS) if outcome.holder is not None else outcome.code_id[:8]
        return f"{time}  {wording.mark(wording.catalogue.tone(reason))} {wording.catalogue.text(reason).label}  {whose}"

    def _report(self, ruling: Ruling) -> None:
        if ruling.done or ruling.obstacle is None:
            return
        texts = self._wording.catalogue.texts
        why = texts.reasons[ruling.reason].label if ruling.reason is not None else "-"
        self._tell(texts.obstacles[ruling.obstacle].format(reason=why), bad=True)

    def _tell(self, text: str, *, bad: bool = False) -> None:
        told = self._wording.plain(text, _TELL_COLUMNS)
        self._lane.notify(told, severity="error" if bad else "information", markup=False)

    @property
    def _staff(self) -> Staff:
        return self._view.staff

    @property
    def _wording(self) -> Wording:
        return self._wording_now()

    @property
    def _labels(self) -> StaffLabels:
        return self._wording.catalogue.texts.staff


def _can_be_let_in(outcome: Outcome) -> bool:
    refused = outcome.kind is RecordKind.SCAN and not outcome.verdict.admitted and outcome.scan is not None
    return refused and may_override(outcome.verdict.reason)
