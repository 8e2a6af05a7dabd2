"""One server's meters: the catalogue made into a registry of its own, and what is counted as it happens."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from server.metrics.catalogue import CATALOGUE, PREFIX, Kind, Spec
from server.services.ports_metrics import Way

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Meters:
    """Implements ``server.services.ports_metrics.Counts`` and what the middleware and the sampler need."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        self._totals: dict[tuple[str, tuple[str, ...]], float] = {}
        for spec in CATALOGUE:
            self._make(spec)

    def _make(self, spec: Spec) -> None:
        name = PREFIX + spec.name
        match spec.kind:
            case Kind.COUNTER:
                self._counters[spec.name] = Counter(name, spec.meaning, spec.labels, registry=self.registry)
            case Kind.GAUGE:
                self._gauges[spec.name] = Gauge(name, spec.meaning, spec.labels, registry=self.registry)
            case Kind.HISTOGRAM:
                self._histograms[spec.name] = Histogram(
                    name, spec.meaning, spec.labels, registry=self.registry, buckets=spec.buckets
                )

    def count(self, name: str, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        counter = self._counters[name]
        (counter.labels(*labels) if labels else counter).inc(by)

    def follow(self, name: str, total: float, *labels: str) -> None:
        """Bring a counter up to a total that is kept elsewhere in this process; totals never shrink."""
        key = (name, labels)
        grown = total - self._totals.get(key, 0)
        self._totals[key] = total
        self.count(name, *labels, by=max(grown, 0))

    def set(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge."""
        gauge = self._gauges[name]
        (gauge.labels(*labels) if labels else gauge).set(value)

    def set_all(self, name: str, values: Mapping[str, float]) -> None:
        """Set a gauge with one label for exactly these values of the label."""
        self._gauges[name].clear()
        for label, value in values.items():
            self.set(name, value, label)

    def begin_request(self) -> None:
        """Note that a request is being answered."""
        self._gauges["http_in_flight"].inc()

    def end_request(self, method: str, route: str, status: int, took_s: float | None) -> None:
        """Note an answer; ``route`` is the template, and methods nobody has heard of count as one."""
        self._gauges["http_in_flight"].dec()
        self.count("http_requests_total", method if method in _METHODS else "other", route, str(status))
        if took_s is not None:
            self._histograms["http_request_seconds"].labels(route).observe(took_s)

    def batch(self, way: Way, records: int) -> None:
        """Note a batch of a gate's log and how many of its records were new."""
        self.count("scan_batches_total", way)
        self.count("scan_records_total", way, by=records)

    def swept(self, what: str, number: int) -> None:
        """Note what a round of housekeeping did."""
        self.count("swept_total", what, by=number)

    def fell_back(self, name: str) -> None:
        """Note what was done without Redis, such as ``ephemeral.limit_fallback``."""
        self.count("ephemeral_fallbacks_total", name.removeprefix("ephemeral."))

    def write(self) -> bytes:
        """Return everything in Prometheus' text form; blocks, as it reads from /proc."""
        return generate_latest(self.registry)
