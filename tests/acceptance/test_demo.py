"""`tickettoken demo` as a visitor runs it: every expectation holds, the figures add up, and nothing is left behind."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec import Struct, json

from server.embedded.placement import OUTSIDE
from tests.acceptance.house import fresh_place
from tests.acceptance.programs import Said, bare_environment, call, processes_of, server_command

pytestmark = pytest.mark.alone

TICKETS = 300
SECONDS = 240.0
"""What the whole evening may take on a machine that has other things to do; on a quiet one it is well under a minute."""


class Assets(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it says of the chain."""

    network: str
    finalized: int
    trees: int
    seconds: float


class Summary(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The document that `--json` promises, with `--nft`."""

    tickets: int
    gates: int
    scans: int
    admitted: int
    refused: dict[str, int]
    conflicts: dict[str, int]
    offline_scans: int
    synced: int
    unsynced: int
    inside: int
    tickets_used: int
    verdict_p50_ms: float
    verdict_p99_ms: float
    snapshot_tickets: int
    seconds: float
    problems: list[str]
    assets: Assets


class Evening(Struct, frozen=True, kw_only=True):
    """One run of the demo: what it said, and what was there afterwards that was not there before."""

    said: Said
    files: list[str]
    processes: set[str]
    clusters: set[str]

    @property
    def summary(self) -> Summary:
        """Return the result; an output that is not exactly one document fails here."""
        return json.decode(self.said.output.encode(), type=Summary)


@pytest.fixture(scope="module")
def evening() -> Iterator[Evening]:
    """Give one run of the demo; all tests of this module look at the same."""
    with own_temporary_directory() as place:
        before = clusters()
        command = server_command("demo", "--json", "--nft", "--tickets", str(TICKETS))
        said = call(command, {"TMPDIR": str(place)}, timeout_s=SECONDS)
        yield Evening(
            said=said,
            files=[found.name for found in place.iterdir()],
            processes=processes_of(place),
            clusters=clusters() - before,
        )


@contextmanager
def own_temporary_directory() -> Iterator[Path]:
    """Give a directory for temporary files in which only one demo puts anything; as private as they come."""
    with fresh_place() as parent:
        place = parent / "temporary"
        place.mkdir(mode=0o700)
        yield place


def clusters() -> set[str]:
    """Return the databases that lie outside their data directories and belong to a demo of this module."""
    if not OUTSIDE.exists():
        return set()
    notes = [entry / "data-directory" for entry in OUTSIDE.iterdir()]
    return {note.parent.name for note in notes if note.exists() and "/temporary/" in note.read_text()}


def test_it_succeeds_and_says_nothing_but_one_document(evening: Evening) -> None:
    assert (evening.said.status, evening.said.errors) == (0, "")
    assert evening.said.output.count("\n") == 1
    assert evening.summary.problems == []


def test_scans_are_admissions_and_refusals(evening: Evening) -> None:
    summary = evening.summary
    assert summary.tickets == TICKETS
    assert summary.scans == summary.admitted + sum(summary.refused.values())
    assert summary.admitted == summary.inside


def test_every_kind_of_cheat_was_refused_for_its_own_reason(evening: Evening) -> None:
    refused = evening.summary.refused
    assert refused["code_stale"] == 2
    assert refused["already_used"] == 2
    assert refused["already_used_elsewhere"] == 1
    assert refused["transferred_or_reissued"] == 1
    # One event in 256 shares the clear byte by which codes of another event are told from forged ones.
    assert refused["code_forged"] + refused.get("wrong_event", 0) == 2


def test_ticket_shown_on_two_phones_is_the_one_conflict(evening: Evening) -> None:
    assert evening.summary.conflicts == {"clone": 1}
    assert evening.summary.tickets_used == evening.summary.admitted - 1


def test_scans_made_with_the_cable_cut_reached_the_server(evening: Evening) -> None:
    summary = evening.summary
    assert summary.gates == 2
    assert 0 < summary.offline_scans < summary.scans
    assert (summary.synced, summary.unsynced) == (summary.scans, 0)


def test_every_ticket_became_an_asset_and_the_chain_agrees(evening: Evening) -> None:
    assets = evening.summary.assets
    assert (assets.finalized, assets.trees) == (TICKETS, 1)
    assert assets.network in {"simulated", "local"}


def test_gates_loaded_every_ticket_there_was(evening: Evening) -> None:
    # The last place is sold after the cable was cut, and one ticket has a second generation since its transfer.
    assert evening.summary.snapshot_tickets >= TICKETS - 1


def test_verdicts_were_timed(evening: Evening) -> None:
    summary = evening.summary
    assert 0 < summary.verdict_p50_ms <= summary.verdict_p99_ms
    assert 0 < summary.seconds < SECONDS


def test_no_process_file_or_database_is_left(evening: Evening) -> None:
    assert evening.files == []
    assert evening.processes == set()
    assert evening.clusters == set()


def test_demo_called_off_takes_everything_with_it() -> None:
    with own_temporary_directory() as place:
        before = clusters()
        with subprocess.Popen(
            server_command("demo", "--tickets", "100"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=bare_environment(TMPDIR=str(place), COLUMNS="100"),
        ) as demo:
            assert demo.stdout is not None
            # The gates' processes exist from here on.
            while b"made its own keys" not in (line := demo.stdout.readline()):
                assert line, "the demo ended before it enrolled its gates"
            demo.send_signal(signal.SIGTERM)
            _, errors = demo.communicate(timeout=60)
        assert (demo.returncode, errors.decode()) == (130, "stopping …\nstopped\n")
        assert not any(place.iterdir())
        assert processes_of(place) == set()
        assert clusters() == before
