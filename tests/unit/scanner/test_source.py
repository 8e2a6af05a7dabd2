"""What people type to name a source is understood, or refused with a sentence that says what to type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.scanner.source import SourceKind, SourceSpec, parse_source
from shared.problems import InputUnusable


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("0", SourceKind.CAMERA, "0"),
        (" 2 ", SourceKind.CAMERA, "2"),
        ("camera:01", SourceKind.CAMERA, "1"),
        ("/dev/video0", SourceKind.DEVICE, "/dev/video0"),
        ("camera:/dev/v4l/by-id/usb-cam", SourceKind.DEVICE, "/dev/v4l/by-id/usb-cam"),
        ("rtsp://10.0.0.7:554/live", SourceKind.STREAM, "rtsp://10.0.0.7:554/live"),
        ("HTTP://cam.local/mjpg", SourceKind.STREAM, "HTTP://cam.local/mjpg"),
        ("queue.avi", SourceKind.VIDEO, "queue.avi"),
        ("/films/queue.MP4", SourceKind.VIDEO, "/films/queue.MP4"),
        ("video:odd name", SourceKind.VIDEO, "odd name"),
        ("pictures", SourceKind.FOLDER, "pictures"),
        ("folder:night.avi", SourceKind.FOLDER, "night.avi"),
    ],
)
def test_source_is_understood(text: str, kind: SourceKind, target: str) -> None:
    assert parse_source(text) == SourceSpec(kind=kind, target=target)


def test_fast_video_is_not_paced() -> None:
    assert parse_source("fast:queue.avi") == SourceSpec(kind=SourceKind.VIDEO, target="queue.avi", paced=False)


def test_followed_folder_waits_for_files() -> None:
    assert parse_source("follow:/inbox") == SourceSpec(kind=SourceKind.FOLDER, target="/inbox", follow=True)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "no picture source"),
        ("   ", "no picture source"),
        ("ftp://cam/x", "not a way to reach a camera"),
        ("rtsp://", "names no host"),
        ("http://[::1", "malformed"),
        ("camera:front", "is not a camera"),
        ("123456", "is not a camera"),
        ("²", "is not a camera"),
        ("fast:", "after the colon"),
        ("ticket.png", "single picture"),
    ],
)
def test_unusable_source_is_refused_with_advice(text: str, hint: str) -> None:
    with pytest.raises(InputUnusable, match=hint):
        parse_source(text)


def test_label_hides_the_password_of_a_network_camera() -> None:
    label = parse_source("rtsp://admin:hunter2@10.0.0.7:554/live?key=s3cret").label
    assert label == "rtsp://10.0.0.7:554/live"


@given(st.text(max_size=40))
def test_any_text_gives_a_source_or_a_refusal(text: str) -> None:
    try:
        outcome = parse_source(text).label
    except InputUnusable as problem:
        outcome = str(problem)
    assert outcome.strip()
