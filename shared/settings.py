"""Settings from the environment: read once, every fault reported together, secrets from files, never printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Literal, TypeVar, get_args, get_origin

import msgspec

from shared.problems import SettingsInvalid
from shared.secrecy import Reticent

T = TypeVar("T")

_TRUTH = {"1": "true", "yes": "true", "on": "true", "0": "false", "no": "false", "off": "false"}


class Secret(Reticent, frozen=True):
    """A value that must not show in logs, errors or debuggers."""

    value: str

    def __repr__(self) -> str:
        """Show dots."""
        return "Secret(•••)"


def load_settings(kind: type[T], environ: Mapping[str, str], *, prefix: str = "") -> T:
    """Read a struct's fields from ``PREFIX_FIELD`` variables; ``…_FILE`` names a file that holds the value.

    An empty variable or file counts as not set.

    Raises:
        SettingsInvalid: naming every missing or malformed variable at once, values left out.
    """
    faults: list[str] = []
    values: dict[str, object] = {}
    for field in msgspec.structs.fields(kind):  # type: ignore[arg-type] # T is always a Struct type
        name = (prefix + field.name).upper()
        try:
            text = _read(environ, name)
            if text is not None:
                values[field.name] = _convert(text, field.type)
            elif field.required:
                faults.append(f"{name} is not set")
        except (SettingsInvalid, OSError, ValueError) as exc:
            faults.append(f"{name}: {_explain(exc)}")
    if faults:
        raise SettingsInvalid("These settings need attention: " + "; ".join(faults) + ".")
    try:
        return kind(**values)
    except ValueError as exc:  # a struct's own check of fields that must fit each other
        raise SettingsInvalid(f"These settings need attention: {exc}.") from exc


def _read(environ: Mapping[str, str], name: str) -> str | None:
    text, path = environ.get(name), environ.get(name + "_FILE")
    if text and path:
        raise SettingsInvalid(f"{name}_FILE is set as well: keep one of the two")
    if path:
        text = Path(path).read_text(encoding="utf-8").strip()
    return text or None


def _convert(text: str, kind: object) -> object:
    convert: Callable[..., object] = msgspec.convert
    if kind in {Secret, Secret | None}:
        return Secret(text)
    if kind in {Path, Path | None}:
        return Path(text)
    if kind is bool:
        text = _TRUTH.get(text.lower(), text)
    try:
        return convert(text, kind, strict=False)
    except msgspec.ValidationError as exc:
        if choices := _choices(kind):
            raise SettingsInvalid(f"give one of {', '.join(choices)}") from None
        # A complaint may repeat the value, and somebody may have put a secret into the wrong variable.
        explained = str(exc).replace(repr(text), "").strip()
        raise SettingsInvalid(explained) from None


def _choices(kind: object) -> list[str]:
    """Return what a field of a closed choice may hold, nothing for an open one."""
    if kind is bool:
        return ["1", "0"]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(member.value) for member in kind]
    return [str(choice) for choice in get_args(kind)] if get_origin(kind) is Literal else []


def _explain(exc: Exception) -> str:
    if isinstance(exc, OSError):
        return f"cannot read the file it names ({exc.strerror})"
    if isinstance(exc, SettingsInvalid):
        return str(exc)
    return "the file it names is not text in UTF-8"
