"""What a person types to say where pictures come from, and the source opened from it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from gate.scanner.camera import CameraSource
from gate.scanner.capture import Capture, capture_camera, capture_url
from gate.scanner.controls import Controls, set_up_camera
from gate.scanner.folder import PICTURE_SUFFIXES, VIDEO_SUFFIXES, FolderSource
from gate.scanner.frames import FrameSource, StatusCallback
from gate.scanner.pace import Pace
from gate.scanner.replay import VideoSource
from shared.problems import InputUnusable

_URL_SCHEMES = frozenset({"rtsp", "rtsps", "http", "https"})
_EXPECTED = (
    "give a camera number such as 0, a device such as /dev/video0, an rtsp:// or http:// address, a video file "
    "(video:FILE, or fast:FILE for every picture without pauses), or a folder (folder:DIR, or follow:DIR to wait "
    "for new files)"
)


class SourceKind(StrEnum):
    """Where pictures can come from."""

    CAMERA = "camera"
    DEVICE = "device"
    STREAM = "stream"
    VIDEO = "video"
    FOLDER = "folder"


class SourceSpec(Struct, frozen=True, kw_only=True):
    """A source by kind and place; `paced` is for videos, `follow` for folders, `controls` for cameras of this machine."""

    kind: SourceKind
    target: str
    paced: bool = True
    follow: bool = False
    controls: Controls = Controls()

    @property
    def label(self) -> str:
        """How to call the source in front of people: without the name and password an address may hold."""
        if self.kind is SourceKind.CAMERA:
            return f"camera {self.target}"
        if self.kind is not SourceKind.STREAM:
            return self.target
        parts = urlsplit(self.target)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def parse_source(text: str) -> SourceSpec:
    """Return what a text such as `0`, `/dev/video0`, `rtsp://...`, `film.avi`, `fast:film.avi` or `follow:DIR` means.

    A path without a prefix is a video when its ending is that of one, else a folder. Raises InputUnusable.
    """
    text = text.strip()
    if not text:
        raise InputUnusable(f"no picture source was named: {_EXPECTED}")
    prefix, colon, rest = text.partition(":")
    if colon and rest.startswith("//"):
        return _parse_address(prefix.lower(), text)
    if colon and prefix.lower() in _PREFIXES:
        return _parse_prefixed(prefix.lower(), rest)
    return _parse_plain(text)


def open_source(spec: SourceSpec, pace: Pace, on_status: StatusCallback) -> FrameSource:
    """Return the source a spec describes, not yet opened: its own `open` reports what is wrong with it."""
    match spec.kind:
        case SourceKind.CAMERA:
            return CameraSource(lambda: _start_camera(int(spec.target), spec.controls), spec.label, pace, on_status)
        case SourceKind.DEVICE:
            return CameraSource(lambda: _start_camera(spec.target, spec.controls), spec.label, pace, on_status)
        case SourceKind.STREAM:
            return CameraSource(lambda: capture_url(spec.target), spec.label, pace, on_status)
        case SourceKind.VIDEO:
            return VideoSource(Path(spec.target), pace, paced=spec.paced)
        case SourceKind.FOLDER:
            return FolderSource(Path(spec.target), pace, on_status, follow=spec.follow)


def _start_camera(device: int | str, controls: Controls) -> Capture:
    """Open a camera and set it, each time anew: one that was unplugged has forgotten everything."""
    capture = capture_camera(device)
    set_up_camera(device, controls)
    return capture


def _parse_address(scheme: str, text: str) -> SourceSpec:
    if scheme not in _URL_SCHEMES:
        raise InputUnusable(f"{scheme}:// is not a way to reach a camera: {_EXPECTED}")
    try:
        host = urlsplit(text).hostname
    except ValueError as exc:
        raise InputUnusable(f"the camera address is malformed ({exc}): write it as {scheme}://host/path") from exc
    if not host:
        raise InputUnusable(f"the camera address names no host: write it as {scheme}://host/path")
    return SourceSpec(kind=SourceKind.STREAM, target=text)


def _parse_prefixed(prefix: str, target: str) -> SourceSpec:
    if not target:
        raise InputUnusable(f"{prefix}: needs something after the colon: {_EXPECTED}")
    if prefix == "camera":
        return _parse_camera(target)
    kind, paced, follow = _PREFIXES[prefix]
    return SourceSpec(kind=kind, target=target, paced=paced, follow=follow)


def _parse_camera(target: str) -> SourceSpec:
    if target.isascii() and target.isdigit() and len(target) <= _INDEX_DIGITS:
        return SourceSpec(kind=SourceKind.CAMERA, target=str(int(target)))
    if target.startswith("/dev/"):
        return SourceSpec(kind=SourceKind.DEVICE, target=target)
    raise InputUnusable(f"{target!r} is not a camera: give its number, such as 0, or its device, such as /dev/video0")


def _parse_plain(text: str) -> SourceSpec:
    if text.isdigit() or text.startswith("/dev/"):
        return _parse_camera(text)
    suffix = Path(text).suffix.lower()
    if suffix in PICTURE_SUFFIXES:
        raise InputUnusable(f"{text} is a single picture: put it in a folder and give the folder")
    kind = SourceKind.VIDEO if suffix in VIDEO_SUFFIXES else SourceKind.FOLDER
    return SourceSpec(kind=kind, target=text)


_INDEX_DIGITS = 4
_PREFIXES = {
    "camera": (SourceKind.CAMERA, True, False),
    "video": (SourceKind.VIDEO, True, False),
    "fast": (SourceKind.VIDEO, False, False),
    "folder": (SourceKind.FOLDER, True, False),
    "follow": (SourceKind.FOLDER, True, True),
}
