"""The voice of the tour: paced text, tables and progress bars for a person; silence for a script."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from server.demo.lane import Seen

_MARKS = {True: ("✔", "green"), False: ("✘", "red")}


class Narrator:
    """Tells the story on a console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._act = 0
        self._aloud = console.file
        self._written = io.StringIO()

    def hush(self) -> None:
        """Write the story down instead of telling it, while the terminal belongs to a gate's screen."""
        self._console.file = self._written

    def speak_up(self) -> None:
        """Tell what was written down, and go on aloud."""
        self._console.file = self._aloud
        self._aloud.write(self._written.getvalue())
        self._written = io.StringIO()

    def title(self, title: str, lines: str) -> None:
        """Open the story."""
        self._console.print(Panel(lines, title=title, title_align="left", border_style="cyan", expand=False))

    def act(self, title: str) -> None:
        """Begin a numbered act."""
        self._act += 1
        self._console.print()
        self._console.rule(f"[bold cyan]{self._act}[/]  [bold]{title}[/]", align="left", style="cyan")

    def say(self, text: str) -> None:
        """Say one sentence; the text may hold console markup, never anything a stranger typed."""
        self._console.print(f"   {text}")

    def show_scan(self, gate: str, who: str, seen: Seen | None, *, as_expected: bool) -> None:
        """Show one person's verdict at a gate."""
        # Eighty columns are what a bare terminal has.
        line = Text("   ", no_wrap=True)
        line.append(f"{gate:<6}", style="dim")
        line.append(f"{who:<33}")
        if seen is None:
            line.append("✘ NOT READ from the video", style="bold red")
        else:
            mark, colour = _MARKS[seen.admitted]
            line.append(f"{mark} {'GO  ' if seen.admitted else 'STOP'} ", style=f"bold {colour}")
            line.append(f"{seen.reason:<23}")
            line.append(f"{seen.total_ms:4.0f} ms", style="dim")
        if not as_expected:
            line.append("  ← not what must happen", style="bold red")
        self._console.print(line)

    def show_table(self, title: str, rows: list[tuple[str, str]]) -> None:
        """Show figures with their names."""
        table = Table(
            title=title, title_justify="left", show_header=False, box=None, padding=(0, 2), title_style="bold"
        )
        for name, value in rows:
            table.add_row(name, Text(value))
        self._console.print(table)

    @contextmanager
    def progress(self, text: str, total: int) -> Iterator[ProgressBar]:
        """Show a bar while something long goes on."""
        columns = (TextColumn("   {task.description}"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console) as bars:
            yield ProgressBar(bars, text, total)


class ProgressBar:
    """One running bar."""

    def __init__(self, bars: Progress, text: str, total: int) -> None:
        self._bars = bars
        self._task = bars.add_task(text, total=total)

    def advance(self, step: int = 1) -> None:
        """Move the bar on."""
        self._bars.advance(self._task, step)
