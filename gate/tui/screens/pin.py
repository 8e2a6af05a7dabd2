"""Where a supervisor signs in: who, and the PIN; a scan goes on above it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from gate.staff import SignIn, Staff
from gate.tui.cards import Wording
from shared.problems import TicketTokenError

_LONGEST_PIN = 64
_NAME_COLUMNS = 40


class PinScreen(ModalScreen[bool]):
    """Returns whether somebody signed in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", tooltip="The supervisor before", id="pin_up", priority=True),
        Binding("down", "move(1)", "Down", tooltip="The next supervisor", id="pin_down", priority=True),
        Binding(
            "escape,ctrl+q,ctrl+c", "close", "Close", tooltip="Close without signing in", id="pin_close", priority=True
        ),
    ]

    def __init__(self, staff: Staff, wording: Wording) -> None:
        super().__init__()
        self._staff = staff
        self._wording = wording
        self._names = staff.supervisors()
        self._at = 0
        self._busy = False

    def compose(self) -> ComposeResult:
        """Lay out the name above the line for the PIN."""
        labels, write = self._wording.catalogue.texts.staff, self._wording.write
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = write(labels.pin_title)
            yield Static(self._describe_who(), id="who", markup=False)
            line = Input(max_length=_LONGEST_PIN, compact=True, password=True)
            line.cursor_blink = False
            yield line
            yield Static("", id="answer", markup=False)
            yield Static(write(labels.pin_hint), classes="hint", markup=False)

    def action_move(self, by: int) -> None:
        """Go to another supervisor; the PIN typed so far belongs to nobody then."""
        self._at = (self._at + by) % len(self._names)
        self.query_one("#who", Static).update(self._describe_who())
        self.query_one(Input).clear()

    def action_close(self) -> None:
        """Close without signing in."""
        _ = self.dismiss(False)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Have the PIN checked; it leaves the screen at once."""
        message.input.clear()
        if message.value and not self._busy:
            self._busy = True
            self.run_worker(self._check(message.value))

    async def _check(self, pin: str) -> None:
        try:
            answer = await self._staff.sign_in(self._names[self._at].id, pin)
        except TicketTokenError as problem:
            self._say(self._wording.catalogue.texts.staff.failed.format(problem=problem))
            return
        finally:
            self._busy = False
        if answer.accepted:
            _ = self.dismiss(True)
            return
        self._say(self._describe_answer(answer))

    def _say(self, text: str) -> None:
        if self.is_mounted:
            self.query_one("#answer", Static).update(self._wording.write(text))

    def _describe_answer(self, answer: SignIn) -> str:
        labels = self._wording.catalogue.texts.staff
        if answer.wait_s:
            return labels.pin_locked.format(seconds=answer.wait_s)
        return labels.pin_wrong.format(tries=answer.tries_left)

    def _describe_who(self) -> str:
        who = self._wording.plain(self._names[self._at].label, _NAME_COLUMNS)
        of = f"  ({self._at + 1}/{len(self._names)})" if len(self._names) > 1 else ""
        return self._wording.write(f"{self._wording.catalogue.texts.staff.pin_who}: {who}{of}")
