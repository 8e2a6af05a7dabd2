"""The keys of the lane; staff may put each on another key by its id."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from gate.catalogue.texts import KeyId

LANE_KEYS: tuple[BindingType, ...] = (
    Binding("t", "ask_code", "Type code", tooltip="Type a ticket code when the camera cannot read it", id=KeyId.CODE),
    Binding("p", "peek", "Look", tooltip="Look at a ticket without using it", id=KeyId.PEEK),
    Binding("s", "staff", "Staff", tooltip="Supervisor: let in, take back, find a ticket", id=KeyId.STAFF),
    Binding("i", "info", "Info", tooltip="Show the event, its rules and who is inside", id=KeyId.INFO),
    Binding(
        "h",
        "history",
        "History",
        tooltip="Show the last scans, how each ended, and put one right",
        id=KeyId.HISTORY,
    ),
    Binding("n", "network", "Network", tooltip="Show the link, the data and what is not sent yet", id=KeyId.NETWORK),
    Binding("c", "close_lane", "Close", tooltip="Close this lane for a while, or open it again", id=KeyId.LANE),
    Binding("space", "clear", "Clear", tooltip="Put the answer away and wait for the next guest", id=KeyId.CLEAR),
    Binding("o", "settings", "Settings", tooltip="Choose sound and language", id=KeyId.SETTINGS),
    Binding("m", "mute", "Sound", tooltip="Turn the sound for refusals off or on", id=KeyId.MUTE),
    Binding("l", "language", "Language", tooltip="Go to the next language", id=KeyId.LANGUAGE),
    Binding("f1,question_mark", "help", "Help", tooltip="Show what every key does", id=KeyId.HELP),
    Binding("q,ctrl+q,ctrl+c", "app.quit", "Quit", tooltip="Leave the gate after asking once more", id=KeyId.QUIT),
)
