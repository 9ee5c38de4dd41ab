"""How long calls take, by method and status: a histogram that costs a call less than a microsecond.

prometheus_client's own takes a lock twice and walks its buckets in Python, several microseconds a call.
Only the event loop observes here, so counting needs no lock; a scrape in another thread reads whole numbers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import REGISTRY
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
"""Upper bounds, seconds."""


class Latency:
    """The calls of one method that ended with one status."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def observe(self, seconds: float) -> None:
        """One more call."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds


class Latencies(Collector):
    """All methods and statuses that occurred."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Latency] = {}

    def of(self, method: str, code: str) -> Latency:
        """Where to count the calls of ``method`` that ended with ``code``."""
        return self._rows.setdefault((method, code), Latency())

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """What Prometheus reads."""
        documentation = "Time to serve a call, by method and status."
        family = HistogramMetricFamily("tintype_rpc_server_seconds", documentation, labels=["method", "code"])
        bounds = [*map(str, map(float, BUCKETS)), "+Inf"]
        for labels, row in list(self._rows.items()):
            buckets = list(zip(bounds, map(float, accumulate(row.counts)), strict=True))
            family.add_metric(labels, buckets, row.seconds)
        yield family


LATENCIES = Latencies()
REGISTRY.register(LATENCIES)
