"""Settings from the environment: read once, every fault reported together, secrets from files, never printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from shared.problems import SettingsInvalid

T = TypeVar("T")


class Secret(msgspec.Struct, frozen=True):
    """A value that must not show in logs, errors or debuggers."""

    value: str

    def __repr__(self) -> str:
        """Show dots."""
        return "Secret(•••)"


def load_settings(kind: type[T], environ: Mapping[str, str], *, prefix: str = "") -> T:
    """Read a struct's fields from ``PREFIX_FIELD`` variables; ``…_FILE`` names a file that holds the value.

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
        except (msgspec.ValidationError, OSError, UnicodeDecodeError) as exc:
            faults.append(f"{name}: {_explain(exc)}")
    if faults:
        raise SettingsInvalid("These settings need attention: " + "; ".join(faults) + ".")
    return kind(**values)


def _read(environ: Mapping[str, str], name: str) -> str | None:
    path = environ.get(name + "_FILE")
    if path:
        return Path(path).read_text(encoding="utf-8").strip()
    return environ.get(name) or None


def _convert(text: str, kind: object) -> object:
    convert: Callable[..., object] = msgspec.convert
    if kind in {Secret, Secret | None}:
        return Secret(text)
    if kind is Path:
        return Path(text)
    if kind is bool:
        text = {"1": "true", "0": "false", "yes": "true", "no": "false"}.get(text.lower(), text)
    return convert(text, kind, strict=False)


def _explain(exc: Exception) -> str:
    if isinstance(exc, OSError):
        return f"cannot read the file it names ({exc.strerror})"
    # msgspec's messages name the expected type, and never the value
    return str(exc)
