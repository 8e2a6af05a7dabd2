"""The end of the evening: the server's figures against the gates' own, the conflict with its evidence, the other tenant."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from server.demo.lane import Lane, Seen
from server.demo.narrator import Narrator
from server.demo.story import Stage, Told
from server.demo.summary import Assets, Summary, count_refusals, percentile


class _Stats(Struct, frozen=True, kw_only=True, rename="camel"):
    """The part of the event's figures that the tour checks."""

    scans: int
    entries: int
    exits: int
    inside: int
    tickets_used: int
    refused_by_reason: dict[str, int]
    conflicts_by_class: dict[str, int]


async def reckon(stage: Stage, told: Told, seconds: float, assets: Assets | None = None) -> Summary:
    """Compare, show and return the figures; what does not add up is added to ``told.problems``."""
    stage.narrator.act("The server's books against the gates' own")
    stats = msgspec.convert(await stage.venue.read("stats"), _Stats)
    lanes = (stage.north, stage.south)
    seen = [item for lane in lanes for item in lane.seen if item.recorded]
    _check_figures(told, stats, seen)
    await _show_conflicts(stage, told)
    await _try_other_tenant(stage, told)
    summary = replace(_sum_up(stage, told, stats, seen, seconds), assets=assets)
    _show(stage.narrator, summary, lanes)
    return summary


def _check_figures(told: Told, stats: _Stats, seen: Sequence[Seen]) -> None:
    admitted = sum(item.admitted for item in seen)
    checks = {
        "scans stored by the server": (stats.scans, len(seen)),
        "entries": (stats.entries, admitted),
        "people inside": (stats.inside, stats.entries - stats.exits),
        "tickets used": (stats.tickets_used, admitted - 1),  # one ticket let two people in
        "refusals": (stats.refused_by_reason, count_refusals(seen)),
        "conflicts": (sum(stats.conflicts_by_class.values()), 1),
    }
    for what, (found, expected) in checks.items():
        if found != expected:
            told.problems.append(f"{what}: the server says {found}, it must be {expected}")


async def _show_conflicts(stage: Stage, told: Told) -> None:
    answer = await stage.venue.read("conflicts")
    conflicts = msgspec.convert(answer["items"], list[dict[str, object]])
    for conflict in conflicts:
        evidence = msgspec.convert(conflict["evidence"], dict[str, dict[str, object]])
        kind, severity = conflict["kind"], conflict["severity"]
        stage.narrator.say(f"[yellow]conflict[/]: {kind}, severity {severity}: one ticket let two people in")
        for which in ("earlier", "later"):
            scan = evidence[which]
            proof = "live code seen" if scan["proven"] else "no live code"
            stage.narrator.say(f"   {which:<8} {scan['gateName']}, {scan['at']}, {scan['mode']}, {proof}")
            if not scan["proven"]:
                told.problems.append(f"the {which} admission of the conflict carries no valid proof")


async def _try_other_tenant(stage: Stage, told: Told) -> None:
    (phone,) = await stage.venue.fetch_phones(1)
    reached = await stage.venue.try_as_other_organiser(phone.ticket)
    told.problems.extend(f"the other organiser can reach {path}" for path in reached)
    if not reached:
        stage.narrator.say("The other organiser's credentials see nothing of all this.")


def _sum_up(stage: Stage, told: Told, stats: _Stats, seen: Sequence[Seen], seconds: float) -> Summary:
    backlog = sum(int(str(lane.status.get("backlog", 0))) for lane in (stage.north, stage.south))
    times = [item.total_ms for item in seen]
    return Summary(
        tickets=stage.venue.places + 1,
        gates=2,
        scans=stats.scans,
        admitted=sum(item.admitted for item in seen),
        refused=count_refusals(seen),
        conflicts=stats.conflicts_by_class,
        offline_scans=sum(item.mode == "offline" for item in seen),
        synced=len(seen) - backlog,
        unsynced=backlog,
        inside=stats.inside,
        tickets_used=stats.tickets_used,
        verdict_p50_ms=round(percentile(times, 0.50), 2),
        verdict_p99_ms=round(percentile(times, 0.99), 2),
        snapshot_tickets=told.snapshot_tickets,
        seconds=round(seconds, 1),
        problems=told.problems,
    )


def _show(narrator: Narrator, summary: Summary, lanes: Sequence[Lane]) -> None:
    refused = ", ".join(f"{count} {reason}" for reason, count in summary.refused.items())
    conflicts = ", ".join(f"{count} {kind}" for kind, count in summary.conflicts.items()) or "none"
    scanned = f"{summary.scans}, {summary.offline_scans} of them with no network"
    admitted = f"{summary.admitted} people on {summary.tickets_used} tickets, {summary.inside} inside"
    rows = [
        ("tickets sold", str(summary.tickets)),
        ("scans at " + " and ".join(lane.name for lane in lanes), scanned),
        ("admitted", admitted),
        ("refused", refused),
        ("conflicts", conflicts),
        ("handed over / missing", f"{summary.synced} / {summary.unsynced}"),
        ("frame to durable verdict", f"{summary.verdict_p50_ms} ms median, {summary.verdict_p99_ms} ms p99"),
        ("the whole evening", f"{summary.seconds} s"),
    ]
    if summary.assets is not None:
        rows.append(("assets on the chain", f"{summary.assets.finalized} in {summary.assets.trees} tree(s)"))
    narrator.show_table("The evening in figures", rows)
