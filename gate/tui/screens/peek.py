"""Looking at tickets without using them: a page of its own, on which nothing can let anybody in by mistake."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from gate.catalogue.texts import Tone
from gate.outcome import GateView
from gate.staff import Peeked
from gate.tui.cards import Wording
from gate.tui.lookcards import LookCard, describe_peek
from shared.problems import TicketTokenError

_LONGEST_CODE = 4096
_LOOK_WITHIN_S = 10
_INK = {Tone.GOOD: "bold", Tone.ATTENTION: "bold $attention", Tone.BAD: "bold $error", Tone.NEUTRAL: "bold"}


class CodeSeen(Message):
    """A source has read a code while this page is open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class PeekScreen(ModalScreen[bytes]):
    """Returns the handle hash of a found ticket that a supervisor wants to let in, or nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,ctrl+q,ctrl+c", "close", "Close", tooltip="Go back to scanning", id="peek_close", priority=True
        ),
        Binding("f2", "admit", "Let in", tooltip="Let the found guest in", id="peek_admit", priority=True),
    ]

    def __init__(self, view: GateView, wording: Wording) -> None:
        super().__init__()
        self._view = view
        self._wording = wording
        self._found: Peeked | None = None

    def compose(self) -> ComposeResult:
        """Lay out the answer above the line to type in."""
        labels, write = self._wording.catalogue.texts.staff, self._wording.write
        hint = labels.peek_number_hint if self._view.staff.may_search else labels.peek_hint
        with Vertical(id="look") as look:
            look.border_title = write(labels.peek_title)
            with VerticalScroll(id="looked"):
                yield Static(write(labels.peek_text), id="lines", markup=False)
            line = Input(max_length=_LONGEST_CODE, compact=True)
            line.cursor_blink = False
            yield line
            yield Static(write(hint), classes="hint", markup=False)

    def on_mount(self) -> None:
        """Take the sources' codes while the page is open."""
        self._view.watch_codes(self._hear)
        self.query_one(Input).focus()

    def on_unmount(self) -> None:
        """Let codes be decided again."""
        self._view.watch_codes(None)

    def on_code_seen(self, message: CodeSeen) -> None:
        """Look at a code that was read."""
        self._look(message.text)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Look at a typed code or number."""
        message.input.clear()
        if message.value.strip():
            self.run_worker(self._submit(message.value), group="submit")

    def action_close(self) -> None:
        """Go back to scanning."""
        _ = self.dismiss(b"")

    def action_admit(self) -> None:
        """Hand the found ticket over to be let in, where a supervisor is signed in."""
        if self._may_admit() and self._found is not None and self._found.handle_hash is not None:
            _ = self.dismiss(self._found.handle_hash)

    def _hear(self, text: str) -> None:
        self.post_message(CodeSeen(text))

    async def _submit(self, text: str) -> None:
        """Show it to the gate like any code; it comes back as one that was seen."""
        try:
            async with asyncio.timeout(_LOOK_WITHIN_S):
                await self._view.submit(text)
        except (TicketTokenError, TimeoutError) as problem:
            self._tell(problem)

    def _look(self, text: str) -> None:
        self.run_worker(self._show(text), exclusive=True)

    async def _show(self, text: str) -> None:
        try:
            async with asyncio.timeout(_LOOK_WITHIN_S):
                self._found = await self._view.staff.peek(text)
        except (TicketTokenError, TimeoutError) as problem:
            self._tell(problem)
            return
        card = describe_peek(self._found, self._wording.display.clock.now(), self._wording)
        self.query_one("#lines", Static).update(self._draw(card))

    def _tell(self, problem: Exception) -> None:
        told = self._wording.catalogue.texts.staff.failed.format(problem=str(problem) or f"> {_LOOK_WITHIN_S} s")
        self.query_one("#lines", Static).update(self._wording.plain(told, 200))

    def _draw(self, card: LookCard) -> Content:
        lines = [Content.styled(card.verdict, _INK[card.tone]), *(Content(fact) for fact in card.facts)]
        lines += [Content.styled(passage, "$quiet") for passage in card.passages]
        if self._may_admit():
            admit = Content.styled(self._wording.write(self._wording.catalogue.texts.staff.peek_admit), "bold $primary")
            lines += [Content(""), admit.stylize("@click=screen.admit")]
        return Content("\n").join(lines)

    def _may_admit(self) -> bool:
        """Only a ticket found by its number: what was scanned is let in, or decided on, on the lane."""
        found = self._found is not None and self._found.handle_hash is not None and self._found.by_number
        return found and self._view.staff.session() is not None
