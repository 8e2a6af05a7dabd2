"""What the bus can do to the program, in the program's own words."""

from __future__ import annotations

from server.services.ports_bus import MessageRefused
from shared.problems import Conflict, Denied, Unavailable


class BusAway(Unavailable):
    """The broker does not answer, or confirmed nothing in time."""

    code = "bus_unavailable"


class BusFull(MessageRefused):
    """A queue has no room, so the broker refused the message."""

    code = "bus_full"


class Unroutable(MessageRefused):
    """No queue takes this message although one must."""

    code = "bus_unroutable"


class BusDenied(Denied):
    """The broker does not let this account do that."""

    code = "bus_denied"


class BrokerTooOld(Conflict):
    """The broker lacks what this program relies on."""

    code = "bus_too_old"


class TopologyDiffers(Conflict):
    """The broker has an exchange or queue of our name that is not as we need it."""

    code = "bus_topology_differs"
