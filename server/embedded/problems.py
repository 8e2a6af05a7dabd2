"""What can keep a private PostgreSQL from serving, each with the sentence that helps."""

from __future__ import annotations

from shared.problems import Conflict, DataDamaged, InputUnusable, TicketTokenError, TooNew, Unavailable


class PostgresMissing(Unavailable):
    """No usable PostgreSQL binaries are on this machine."""

    code = "postgres_missing"


class PostgresFailed(Unavailable):
    """PostgreSQL is there but did not start, or ended by itself."""

    code = "postgres_failed"


class DataDirectoryInUse(Conflict):
    """Another running process owns the data directory."""

    code = "data_directory_in_use"


class DataDirectoryUnusable(InputUnusable):
    """The data directory cannot be created, written or entered."""

    code = "data_directory_unusable"


class ClusterTooNew(TooNew):
    """The cluster was made by a newer PostgreSQL than the ones on this machine."""

    code = "cluster_too_new"


class ClusterTooOld(Unavailable):
    """The cluster was made by an older PostgreSQL that is not on this machine."""

    code = "cluster_too_old"


class ClusterDamaged(DataDamaged):
    """The cluster directory lacks files without which it cannot be opened."""

    code = "cluster_damaged"


class DumpFailed(Unavailable):
    """PostgreSQL's own programs did not write or read a backup; what they said is in the message."""

    code = "dump_failed"


PROBLEMS: dict[str, type[TicketTokenError]] = {
    problem.code: problem
    for problem in (
        PostgresMissing,
        PostgresFailed,
        DataDirectoryInUse,
        DataDirectoryUnusable,
        ClusterTooNew,
        ClusterTooOld,
        ClusterDamaged,
    )
}
