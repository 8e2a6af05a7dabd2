"""A process of its own that imports modules one by one and reports, as JSON, what they did besides defining.

Foreign modules are imported first, unwatched: what a library does at import is its own affair.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import threading
from collections.abc import Callable
from importlib.machinery import all_suffixes
from typing import Any

WATCHED_EVENTS = (
    "open",
    "socket.__new__",
    "socket.connect",
    "socket.bind",
    "subprocess.Popen",
    "os.system",
    "sqlite3.connect",
)
EVENT_NAMES = {"socket.__new__": "socket", "socket.connect": "socket", "socket.bind": "socket"}
# A statement file is code that lies beside its module, and is loaded with it.
IMPORT_FILES = (*all_suffixes(), ".pth", ".zip", ".sql")


class Watch:
    """What happened while one of our modules was being imported."""

    def __init__(self) -> None:
        self.module = ""
        self.effects: list[str] = []

    def note(self, what: str) -> None:
        """Remember one effect, if one of our modules is being imported."""
        if self.module:
            self.effects.append(f"{self.module} {what}")

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        """Take an audit event of the interpreter."""
        if not self.module or event not in WATCHED_EVENTS:
            return
        if event == "open" and str(arguments[0]).endswith(IMPORT_FILES):
            return
        self.note(f"{EVENT_NAMES.get(event, event)} {arguments[0]!s}")


def watch_environment(watch: Watch) -> None:
    """Have every look into the environment by one of our modules noted."""
    kind = type(os.environ)
    reads: Callable[[Any, str], str] = kind.__getitem__

    def noted(self: Any, key: str) -> str:
        caller = sys._getframe(1)
        while caller.f_back is not None and caller.f_globals.get("__name__") in {"os", "collections.abc"}:
            caller = caller.f_back
        if str(caller.f_globals.get("__name__")).split(".", maxsplit=1)[0] in {"shared", "server", "gate"}:
            watch.note(f"environment {key}")
        return reads(self, key)

    kind.__getitem__ = noted  # type: ignore[method-assign]


def import_one(name: str, watch: Watch) -> None:
    """Import one of our modules and note what it left running."""
    before = set(threading.enumerate())
    started: list[str] = []
    threading.setprofile(lambda *_: started.append(threading.current_thread().name))
    watch.module = name
    try:
        importlib.import_module(name)
    finally:
        threading.setprofile(None)
        running = {thread.name for thread in set(threading.enumerate()) - before} | set(started)
        for thread in sorted(running):
            watch.note(f"thread {thread}")
        watch.module = ""


def main() -> None:
    """Import what the request names and print the report."""
    request = json.loads(sys.argv[1])
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - pathlib is one of the modules under watch
    for name in request["foreign"]:
        # What is no module is a name inside one; a module that is missing fails our own import below.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    watch = Watch()
    sys.addaudithook(watch.hear)
    watch_environment(watch)
    for name in request["own"]:
        import_one(name, watch)
    loaded = sorted({name.split(".", maxsplit=1)[0] for name in sys.modules})
    print(json.dumps({"imported": request["own"], "effects": watch.effects, "loaded": loaded}))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
