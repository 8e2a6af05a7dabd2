"""Page, alert rules and board name exactly the metrics there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from server.domain.nft import AssetState
from server.metrics.catalogue import CATALOGUE, OF_LIBRARY, PREFIX, Kind, Spec
from server.metrics.meters import Meters

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
ALERTS: dict[str, Any] = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text(encoding="utf-8"))
BOARD: dict[str, Any] = json.loads((ROOT / "deploy/dashboard.json").read_text(encoding="utf-8"))

LABELS = {
    "version",
    "share",
    "method",
    "route",
    "status",
    "role",
    "state",
    "worker",
    "outcome",
    "way",
    "what",
    "severity",
    "mode",
    "queue",
}


def row(spec: Spec) -> str:
    """Return a metric's line of the page."""
    labels = ", ".join(f"`{label}`" for label in spec.labels) or "-"
    return f"| `{PREFIX}{spec.name}` | {spec.kind} | {labels} | {spec.meaning} |"


def series() -> set[str]:
    """Return every name a query may use."""
    names = {PREFIX + spec.name for spec in CATALOGUE} | set(OF_LIBRARY) | {"up"}
    for spec in CATALOGUE:
        if spec.kind is Kind.HISTOGRAM:
            names |= {f"{PREFIX}{spec.name}{end}" for end in ("_bucket", "_sum", "_count")}
    return names


def queries() -> Iterator[str]:
    """Yield the query of every rule and every panel."""
    for group in ALERTS["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for panel in BOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_the_page_lists_every_metric_and_no_other() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{PREFIX}")]
    assert rows == [row(spec) for spec in CATALOGUE]
    assert all(f"`{name}`" in PAGE for name in OF_LIBRARY)


def test_what_the_server_tells_is_what_the_catalogue_lists() -> None:
    told = {family.name for family in Meters().registry.collect()}
    expected = {PREFIX + spec.name.removesuffix("_total") for spec in CATALOGUE}
    assert told == expected | {name.removesuffix("_total") for name in OF_LIBRARY}


def test_every_query_names_only_metrics_there_are() -> None:
    named = {name for query in queries() for name in re.findall(r"\b(?:tickettoken|process)_\w+", query)}
    assert len(named) > 20
    assert named <= series()


def test_every_query_selects_by_labels_its_metric_has() -> None:
    of = {PREFIX + spec.name: set(spec.labels) for spec in CATALOGUE}
    for query in queries():
        for name, selector in re.findall(r"(tickettoken_\w+)\{([^}]*)\}", query):
            assert set(re.findall(r"(\w+)\s*=", selector)) <= of[name], query


def test_every_value_a_query_selects_by_is_one_that_is_told() -> None:
    values = {
        "state": {"heard", "silent", "busy", "idle", "most", *AssetState},
        "severity": {"none", "low", "medium", "high"},
        "what": {"limit_fallback", "cache_skipped", "publish_skipped", "subscription_lost", "redis_failed"},
        "queue": {"inbox", "dead_letters", "gate_scans", "gate_words"},
        "mode": {"online", "offline", "held", "untold"},
    }
    seen = 0
    for query in queries():
        for label, operator, value in re.findall(r'(\w+)(=~|=)"([^"]*)"', query):
            if label in values:
                seen += 1
                assert set(value.split("|") if operator == "=~" else [value]) <= values[label], query
    assert seen > 8


def test_every_alert_points_to_a_runbook_that_is_there() -> None:
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 10
    for rule in rules:
        assert (ROOT / rule["annotations"]["runbook"]).is_file(), rule["alert"]
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_no_label_could_hold_a_tenant_or_a_person() -> None:
    assert {label for spec in CATALOGUE for label in spec.labels} <= LABELS


def test_two_servers_in_one_process_count_for_themselves() -> None:
    one, other = Meters(), Meters()
    one.count("relay_moved_total", by=3)
    assert b"tickettoken_relay_moved_total 3.0" in one.write()
    assert b"tickettoken_relay_moved_total 0.0" in other.write()


def test_a_total_kept_elsewhere_is_followed_and_never_falls() -> None:
    meters = Meters()
    for total in (5, 5, 8):
        meters.follow("publisher_sent_total", total)
    assert b"tickettoken_publisher_sent_total 8.0" in meters.write()


def test_methods_nobody_has_heard_of_are_one_series() -> None:
    meters = Meters()
    for method in ("PROPFIND", "X" * 200):
        meters.begin_request()
        meters.end_request(method, "unknown", 405, 0.01)
    assert b'tickettoken_http_requests_total{method="other",route="unknown",status="405"} 2.0' in meters.write()
