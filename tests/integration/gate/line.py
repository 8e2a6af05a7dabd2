"""A turnstile's line: a pseudo terminal whose device is the test."""

from __future__ import annotations

import asyncio
import os
import pty
from pathlib import Path


class Line:
    """A pseudo terminal: the test has the device's end."""

    def __init__(self) -> None:
        self.device, gate_end = pty.openpty()
        self.path = Path(os.ttyname(gate_end))
        self._gate_end = gate_end

    async def read_line(self) -> bytes:
        """Wait for a line of the gate's."""
        line = b""
        while not line.endswith(b"\n"):
            line += await asyncio.to_thread(os.read, self.device, 1)
        return line

    def say(self, line: bytes) -> None:
        """Be the device and say something."""
        os.write(self.device, line + b"\n")

    def close(self) -> None:
        """Pull the plug."""
        os.close(self.device)
        os.close(self._gate_end)
