"""An event's figures as they travel to those who watch: in parts, each named by what is in it.

The id of a state is the digests of its parts one after the other. Whoever shows the id of the last state it has, is sent the
parts that differ, and has missed nothing: it does not matter how long it was away, or which process it asks now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from server.services.live_views import Figures

DIGEST_CHARS = 10
_PARTS = Figures.__struct_fields__

FORM = hashlib.blake2b(msgspec.json.encode(msgspec.json.schema(Figures)), digest_size=4).hexdigest()
"""The form of figures in this release, by name: what has another name has another form."""


class LiveState(Struct, frozen=True, kw_only=True):
    """The parts of one moment's figures as JSON, by name."""

    id: str
    parts: dict[str, bytes]


_codec: msgspec.msgpack.Decoder[LiveState] = msgspec.msgpack.Decoder(LiveState)


def make_state(figures: Figures) -> LiveState:
    """Return figures in parts."""
    parts = {name: msgspec.json.encode(getattr(figures, name)) for name in _PARTS}
    return LiveState(id="".join(_digest(part) for part in parts.values()), parts=parts)


def changed_parts(state: LiveState, known: str) -> Mapping[str, bytes]:
    """Return the parts that somebody lacks who has the state of this id; all of them if it is no state's id."""
    if len(known) != len(_PARTS) * DIGEST_CHARS:
        return state.parts
    found = {}
    for number, (name, part) in enumerate(state.parts.items()):
        place = slice(number * DIGEST_CHARS, (number + 1) * DIGEST_CHARS)
        if known[place] != state.id[place]:
            found[name] = part
    return found


def write_event(state: LiveState, known: str) -> bytes:
    """Return what is sent to somebody who has the state of this id, as a server-sent event (HTML standard, 9.2)."""
    parts = b",".join(b'"%s":%s' % (name.encode(), part) for name, part in changed_parts(state, known).items())
    return b"id: %s\nevent: figures\ndata: {%s}\n\n" % (state.id.encode(), parts)


def read_figures_of(state: LiveState) -> Figures:
    """Return the figures a state was made of."""
    whole = b",".join(b'"%s":%s' % (name.encode(), part) for name, part in state.parts.items())
    return msgspec.json.decode(b"{%s}" % whole, type=Figures)


def pack_state(state: LiveState) -> bytes:
    """Return a state as it travels between processes."""
    return msgspec.msgpack.encode(state)


def unpack_state(body: bytes) -> LiveState | None:
    """Return a state another process made; None if it is of another release."""
    try:
        state = _codec.decode(body)
    except msgspec.DecodeError:
        return None
    return state if tuple(state.parts) == _PARTS else None


def _digest(part: bytes) -> str:
    return hashlib.blake2b(part, digest_size=DIGEST_CHARS // 2).hexdigest()
