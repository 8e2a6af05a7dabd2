"""A lane as a program of its own, for a real terminal: typed words make the scripted gate decide."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from gate.outcome import Outcome
from gate.tui.app import GateApp
from tests.tui.scripted import ADMITTED, DOUBLE, STALE, USED, ScriptedView

ANSWERS = {"go": ADMITTED, "used": USED, "again": DOUBLE, "QYSTPICONML? GO": ADMITTED}


def decide(text: str) -> Outcome:
    """Return the answer a word stands for; any other word is a stale code."""
    return ANSWERS.get(text, STALE)


if __name__ == "__main__":
    app = GateApp(ScriptedView(decide=decide))
    app.run()
    sys.exit(app.return_code)
