"""Which queues the broker has and which of them it cannot start, as its management API shows it.

RabbitMQ 3.10, cut off in the middle, now and then cannot start a stream or quorum queue again that it made not long before. A
stream is then ``down`` and can neither be deleted nor made anew under its name; a quorum queue is listed as ever, without a word of
its state, takes nothing and gives nothing. The same words mean that a node of a cluster is away, so only a queue of which
every member is there counts as stuck.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

_DOWN = frozenset({"down", "crashed", "stopped"})


# The API tells much more about each; what is not looked at is left out on purpose, so unknown fields are allowed here.
class QueueState(Struct, frozen=True):
    """A queue as the broker lists it; ``state`` is missing until its numbers are there, some seconds after a start."""

    name: str
    type: str = ""
    state: str | None = None
    members: list[str] = []
    online: list[str] = []

    @property
    def is_down(self) -> bool:
        """Whether the broker says itself that it does not run."""
        return self.state in _DOWN

    @property
    def is_suspect(self) -> bool:
        """Whether it may be stuck: all its members are there, and nothing is known of it."""
        complete = bool(self.members) and set(self.members) <= set(self.online)
        return self.type == "quorum" and complete and self.state is None


class StreamNames(Struct, frozen=True, kw_only=True):
    """What streams the broker has; implements ``server.services.ports_broker.Streams``."""

    there: Collection[str]
    broken: Collection[str]


def sort_streams(states: list[QueueState]) -> StreamNames:
    """Return the streams among the queues."""
    streams = [one for one in states if one.type == "stream"]
    return StreamNames(
        there=frozenset(one.name for one in streams), broken=frozenset(one.name for one in streams if one.is_down)
    )
