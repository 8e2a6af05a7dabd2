"""What the pages about the event and about the link say, made of the gate's own account of itself."""

from __future__ import annotations

from datetime import datetime

from gate.catalogue.labels import PageLabels
from gate.outcome import AreaHere, GateInfo, GateStatus
from gate.tui.badge import describe_span
from gate.tui.cards import Wording, group
from gate.tui.screens.page import Line
from shared.admission.policy import GateRole, Policy, Stale, Unknown
from shared.admission.verdict import Direction
from shared.sync.scan import Mode

_WORDS = 200
_NAME = 40


def describe_event(info: GateInfo, status: GateStatus, wording: Wording) -> tuple[Line, ...]:
    """Return the event, this gate's place in it, its rules, and how many people are where."""
    labels = wording.catalogue.texts.pages
    way = labels.way_out if info.direction is Direction.EXIT else labels.way_in
    place = [
        Line(name=labels.event, value=wording.plain(status.event_name, _WORDS)),
        Line(name=labels.gate, value=f"{wording.plain(status.gate_name, _WORDS)}, {way}"),
        Line(name=labels.zones, value=_name_bits(info.zones, labels)),
        Line(name=labels.role, value=_describe_role(info.role, labels)),
        Line(name=labels.products, value=", ".join(map(str, info.products)) or labels.all),
    ]
    people = [
        Line(name=labels.inside, value=group(info.inside)),
        Line(name=labels.behind, value=group(info.behind)),
        *(Line(name=labels.area, value=_describe_area(area, wording)) for area in info.areas),
    ]
    rules = _describe_rules(info, wording) if info.policy is not None else []
    return (*place, *rules, *people)


def describe_network(info: GateInfo, status: GateStatus, wording: Wording) -> tuple[Line, ...]:
    """Return how the gate stands to its server: what it has, and what it has not handed over."""
    texts = wording.catalogue.texts
    labels = texts.pages
    mode = texts.labels.online if status.mode is Mode.ONLINE else texts.labels.offline
    age = describe_span(status.data_age_s, texts.labels) if status.data_age_s is not None else "?"
    until = _write_time(status.keys_until, wording) if status.keys_until is not None else "-"
    data = labels.data_position.format(count=group(status.tickets), position=group(info.feed_seq), age=age)
    log = labels.log_position.format(
        logged=group(info.logged), acked=group(info.acked), left=group(max(0, info.logged - info.acked))
    )
    version = str(info.policy.version) if info.policy is not None else "-"
    return (
        Line(name=labels.server, value=wording.plain(info.server, _WORDS)),
        Line(name=labels.link, value=f"{labels.link_up if status.linked else labels.link_down} ({mode})"),
        Line(name=labels.data, value=data),
        Line(name=labels.log, value=log),
        Line(name=labels.keys, value=labels.keys_version.format(time=until, version=info.bundle_version)),
        Line(name=labels.policy_version, value=version),
        Line(
            name=labels.clock,
            value=labels.clock_within.format(seconds=f"{info.unsure_ms / 1000:.1f}".replace(".", texts.labels.decimal)),
        ),
        Line(name=labels.software, value=wording.plain(info.software, _WORDS)),
    )


def describe_night(info: GateInfo, status: GateStatus, wording: Wording) -> tuple[str, str]:
    """Return how the night went and whether all of it is handed over."""
    labels, counts = wording.catalogue.texts.pages, status.counts
    went = labels.night_counts.format(
        admitted=group(counts.admitted),
        exited=group(counts.exited),
        refused=group(counts.refused),
        inside=group(info.inside),
    )
    if wording.display.drill:
        return wording.write(went), wording.write(labels.night_drill)
    left = status.backlog
    sent = labels.night_unsent.format(left=group(left)) if left else labels.night_sent.format(logged=group(info.logged))
    return wording.write(went), wording.write(sent)


def _describe_rules(info: GateInfo, wording: Wording) -> list[Line]:
    policy = info.policy
    if policy is None:
        return []
    labels, window = wording.catalogue.texts.pages, policy.window
    here = policy.limit_at(info.gate)
    lines = [
        Line(name=labels.doors, value=_write_time(window.doors, wording)),
        Line(name=labels.starts, value=_write_time(window.starts, wording)),
        Line(name=labels.ends, value=_write_time(window.ends, wording)),
        Line(name=labels.re_entry, value=_describe_re_entry(policy, labels)),
        Line(name=labels.unknown_tickets, value=_describe_unknown(policy, labels)),
        Line(name=labels.paper, value=labels.yes if policy.static_codes else labels.no),
        Line(name=labels.id_check, value=labels.yes if policy.id_check else labels.no),
        Line(name=labels.capacity, value=labels.without_limit if policy.capacity is None else group(policy.capacity)),
    ]
    if policy.cooldown_s:
        span = describe_span(policy.cooldown_s, wording.catalogue.texts.labels)
        lines.append(Line(name=labels.cooldown, value=span))
    if here is not None:
        lines.append(Line(name=labels.capacity_here, value=group(here)))
    if policy.stale_after_s is not None:
        span = describe_span(policy.stale_after_s, wording.catalogue.texts.labels)
        lines.append(Line(name=labels.stale_rule.format(age=span), value=_describe_stale(policy, labels)))
    return lines


def _describe_area(area: AreaHere, wording: Wording) -> str:
    names = ", ".join(wording.plain(name, _NAME) for name in area.gates)
    told = wording.catalogue.texts.pages.area_inside
    return told.format(inside=group(area.inside), capacity=group(area.capacity), gates=names)


def _describe_re_entry(policy: Policy, labels: PageLabels) -> str:
    if not policy.exits or policy.re_entries == 0:
        return labels.re_entry_none
    return labels.re_entry_free if policy.re_entries is None else labels.re_entry_some.format(count=policy.re_entries)


def _describe_unknown(policy: Policy, labels: PageLabels) -> str:
    return {
        Unknown.ADMIT: labels.unknown_admit,
        Unknown.ONLINE_ONLY: labels.unknown_online_only,
        Unknown.SUPERVISOR: labels.unknown_supervisor,
    }[policy.unknown]


def _describe_role(role: GateRole, labels: PageLabels) -> str:
    return {
        GateRole.LANE: labels.role_lane,
        GateRole.HELP_DESK: labels.role_help_desk,
        GateRole.UNATTENDED: labels.role_unattended,
    }[role]


def _describe_stale(policy: Policy, labels: PageLabels) -> str:
    return {
        Stale.WARN: labels.stale_warn,
        Stale.SUPERVISOR: labels.stale_supervisor,
        Stale.REFUSE: labels.stale_refuse,
    }[policy.when_stale]


def _name_bits(mask: int, labels: PageLabels) -> str:
    return ", ".join(str(bit + 1) for bit in range(16) if mask >> bit & 1) or labels.all


def _write_time(moment: datetime, wording: Wording) -> str:
    local = moment.astimezone(wording.display.zone)
    return f"{wording.catalogue.texts.labels.weekdays[local.weekday()]} {local:%d.%m. %H:%M}"
