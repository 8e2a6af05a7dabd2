"""Metrics are nobody's business by accident: what may be served where."""

from __future__ import annotations

import pytest

from server.settings_monitoring import MonitoringSettings, plan_monitoring
from shared.problems import SettingsInvalid
from shared.settings import Secret, load_settings

TOKEN = "0123456789abcdefghijklmnopqrstuvwxyz"


def test_without_a_port_there_are_no_metrics() -> None:
    assert plan_monitoring(MonitoringSettings()) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_this_machine_needs_no_token(host: str) -> None:
    plan = plan_monitoring(MonitoringSettings(metrics_host=host, metrics_port=9464))
    assert plan is not None
    assert (plan.host, plan.port, plan.token) == (host, 9464, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "metrics.example"])  # noqa: S104 - what is to be refused
def test_other_machines_need_one(host: str) -> None:
    with pytest.raises(SettingsInvalid, match="METRICS_TOKEN"):
        plan_monitoring(MonitoringSettings(metrics_host=host, metrics_port=9464))
    plan = plan_monitoring(MonitoringSettings(metrics_host=host, metrics_port=9464, metrics_token=Secret(TOKEN)))
    assert plan is not None


def test_a_token_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="32 characters") as caught:
        plan_monitoring(MonitoringSettings(metrics_token=Secret("short")))
    assert "short" not in str(caught.value)


@pytest.mark.parametrize("seconds", ["-1", "301", "soon"])
def test_a_drain_that_makes_no_sense_is_refused(seconds: str) -> None:
    with pytest.raises(SettingsInvalid, match="DRAIN_SECONDS"):
        load_settings(MonitoringSettings, {"DRAIN_SECONDS": seconds})
