"""What was ordered of this gate, in a small file beside its data: how far it obeyed, what holds, what staff should read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from gate.files import write_private
from shared.ids import CommandId
from shared.problems import DataDamaged, Unavailable
from shared.sync.command import Receipt

ORDERS_NAME = "orders.json"
_REMEMBERED = 200


class StaffNotice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text for the staff, and when it came (milliseconds since 1970)."""

    command: CommandId
    text: str
    at_ms: int


class Wiping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The command to forget everything; while ``patient``, the log is handed over first."""

    command: CommandId
    number: int
    patient: bool = True


class Kept(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file: ``last`` is the number of the last command obeyed, ``held`` why no codes are looked at."""

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    last: int = 0
    held: str | None = None
    notices: tuple[StaffNotice, ...] = ()
    wiping: Wiping | None = None
    receipts: tuple[Receipt, ...] = ()

    def receipt_of(self, command: CommandId) -> Receipt | None:
        """Return what was said of a command."""
        return next((one for one in self.receipts if one.command == command), None)

    @property
    def wipe_due(self) -> bool:
        """Whether the wipe waits for nothing any more."""
        wiping = self.wiping
        return wiping is not None and (not wiping.patient or self.receipt_of(wiping.command) is not None)

    def with_receipt(self, receipt: Receipt) -> Kept:
        """Return this with one more command obeyed."""
        return replace(self, last=max(self.last, receipt.number), receipts=(*self.receipts, receipt)[-_REMEMBERED:])


def load_orders(directory: Path) -> Kept:
    """Return what was ordered; nothing yet where there is no file.

    Raises:
        DataDamaged: the file is not what was written.
        Unavailable: it cannot be read.
    """
    path = directory / ORDERS_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except FileNotFoundError:
        return Kept()
    except OSError as exc:
        raise Unavailable(f"{path} cannot be read ({exc.strerror}): check who owns it.") from exc
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise DataDamaged(
            f"{path} is damaged: ask the organiser whether this gate is on hold, then remove the file."
        ) from exc


def save_orders(directory: Path, kept: Kept) -> None:
    """Write down what was ordered.

    Raises:
        Unavailable: the directory cannot be written.
    """
    write_private(directory / ORDERS_NAME, msgspec.json.encode(kept))
