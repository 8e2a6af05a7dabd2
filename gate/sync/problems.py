"""What can go wrong between a gate and its server, told apart because the gate acts differently on each."""

from __future__ import annotations

from shared.problems import Conflict, DataDamaged, Denied, Unavailable


class ServerAway(Unavailable):
    """The server does not answer."""

    code = "server_away"


class NotOurServer(Unavailable):
    """Something answers at the server's address that is not the server: a login page of the network, for instance."""

    code = "not_our_server"


class GateRefused(Denied):
    """The server does not accept this gate's word."""

    code = "gate_refused"


class DeviceRevoked(Denied):
    """The organiser has revoked this gate."""

    code = "device_revoked"


class GateWiped(Denied):
    """The organiser had this gate wiped."""

    code = "gate_wiped"
    exit_code = 4


class Gone(Conflict):
    """What was asked for existed and does no more."""

    code = "gone"


class FeedTooOld(Gone):
    """The server no longer keeps the part of the feed that was asked for."""

    code = "feed_too_old"


class LogRestored(DataDamaged):
    """The log is older than what the server already has of it: the disk was restored or cloned."""

    code = "log_restored"
