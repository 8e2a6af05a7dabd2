"""Why an organiser's wish was refused, each with a stable code and a sentence that helps."""

from __future__ import annotations

from shared.problems import Conflict, InputUnusable, NotFound, Unavailable


class VersionStale(Conflict):
    """Somebody else changed this since it was read."""

    code = "version_stale"


class EventNotReady(Conflict):
    """The event lacks something it needs to be sold."""

    code = "event_not_ready"


class EventStateWrong(Conflict):
    """The event is in a state in which this cannot be done."""

    code = "event_state_wrong"


class EventNotOver(Conflict):
    """The event is not over yet."""

    code = "event_not_over"


class EndingUnknown(NotFound):
    """The event was neither closed nor cancelled."""

    code = "ending_not_found"


class ScheduleInvalid(InputUnusable):
    """The event's times or entry rules do not fit together."""

    code = "schedule_invalid"


class TypeInUse(Conflict):
    """Somebody has tickets of this type, so gates know it as it is."""

    code = "type_in_use"


class StockTaken(Conflict):
    """More places are reserved or sold than there would be."""

    code = "stock_taken"


class TooManyTypes(Conflict):
    """The event sells as many kinds of tickets as it can."""

    code = "too_many_ticket_types"


class ZoneTaken(Conflict):
    """The bit has a name already, or the name a bit."""

    code = "zone_taken"


class ZoneUnknown(NotFound):
    """The event has no such zone."""

    code = "zone_not_found"


class SeatExists(Conflict):
    """A seat of this label is there already."""

    code = "seat_exists"


class NotSeated(Conflict):
    """The ticket type has no seats; or it has, and a seat must be named."""

    code = "not_seated"


class SeatNotFree(Conflict):
    """The seat does not exist, or is somebody's."""

    code = "seat_not_free"


class FileTooLarge(InputUnusable):
    """The file is larger, or has more rows, than the server takes at once."""

    code = "file_too_large"


class FileUnusable(InputUnusable):
    """The file is no table of tickets."""

    code = "file_unusable"


class ImportUnknown(NotFound):
    """No such import."""

    code = "import_not_found"


class ImportRunning(Conflict):
    """A file of tickets is being applied to the event at this moment."""

    code = "import_running"


class TenantUnknown(NotFound):
    """No such organiser."""

    code = "tenant_not_found"


class EndingAway(Unavailable):
    """Somebody else is bringing the event to its end, and does not get on."""

    code = "ending_away"
