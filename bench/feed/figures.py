"""From rounds to figures: ratios within a round, their spread over the rounds, and whether they reach the targets."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.feed.rounds import ECHO, ECHO_PACED, ENVOY_GRPC, ENVOY_REST, FIRST, OLDER, WARM, Measured, Round

SERIES = (FIRST, WARM, OLDER, ENVOY_GRPC, ENVOY_REST, ECHO, ECHO_PACED)

CPU_RATIO = "services' CPU ÷ the echo's"
RATE_RATIO = "requests/s ÷ the echo's"
TAIL_RATIO = "p99 ÷ p50"


@dataclass(frozen=True, slots=True)
class Target:
    """What a median should be: at most ``bound``, or at least."""

    bound: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Whether a value is good enough."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure of one series over all rounds."""

    series: str
    measure: str
    least: float
    median: float
    most: float
    target: Target | None = None

    @property
    def met(self) -> bool | None:
        """None where nothing is wanted."""
        return self.target.met(self.median) if self.target else None

    def as_json(self) -> dict[str, object]:
        """What the results file keeps."""
        wanted = {"target": str(self.target), "met": self.met} if self.target else {}
        spread = {"min": self.least, "median": self.median, "max": self.most}
        return {"series": self.series, "measure": self.measure, **spread, **wanted}


_TARGETS = {
    (WARM, CPU_RATIO): Target(3.5),
    (WARM, RATE_RATIO): Target(0.30, at_least=True),
    (WARM, TAIL_RATIO): Target(6),
    (OLDER, CPU_RATIO): Target(5),
}


def figures(measured: Measured) -> list[Figure]:
    """Everything of one engine."""
    found = [
        _figure(series, name, [value(one) for one in measured.rounds], _TARGETS.get((series, name)))
        for series in SERIES
        for name, value in _measures(series).items()
    ]
    rest, grpc = _both(ENVOY_REST), _both(ENVOY_GRPC)
    over_grpc = [rest(one) / grpc(one) for one in measured.rounds]
    over_straight = [rest(one) / one[WARM].cpu_us("services") for one in measured.rounds]
    over_paced = [one[OLDER].cpu_us("services") / one[ECHO_PACED].cpu_us("services") for one in measured.rounds]
    found += [
        _figure(OLDER, "services' CPU ÷ the paced echo's", over_paced),
        _figure(ENVOY_REST, "Envoy + services ÷ gRPC through Envoy", over_grpc, Target(2)),
        _figure(ENVOY_REST, "Envoy + services ÷ gRPC straight", over_straight),
    ]
    found.sort(key=lambda one: SERIES.index(one.series))
    return [*found, _figure("idle", "services, % of a core", [measured.idle_share * 100], Target(2))]


def compared(sqlite: Measured, cassandra: Measured) -> list[Figure]:
    """The services' CPU for a page on Cassandra over that on SQLite, medians of each."""
    found = []
    for series in (FIRST, WARM, OLDER):
        each = [statistics.median(one[series].cpu_us("services") for one in m.rounds) for m in (cassandra, sqlite)]
        found.append(_figure(series, "services' CPU, Cassandra ÷ SQLite", [each[0] / each[1]], Target(1.5)))
    return found


def _measures(series: str) -> Mapping[str, Callable[[Round], float]]:
    """The measures of a series, each from a round."""
    found: dict[str, Callable[[Round], float]] = {
        "requests/s": lambda one: one[series].per_second,
        "services' CPU, µs a page": lambda one: one[series].cpu_us("services"),
        "p50, ms": lambda one: one[series].quantile_ms(0.5),
        "p99, ms": lambda one: one[series].quantile_ms(0.99),
        "load generator, % of a core": lambda one: one[series].cpu_s["generator"] / one[series].took_s * 100,
    }
    if series == ECHO:
        return found
    found[CPU_RATIO] = lambda one: one[series].cpu_us("services") / one[ECHO].cpu_us("services")
    found[RATE_RATIO] = lambda one: one[series].per_second / one[ECHO].per_second
    found[TAIL_RATIO] = lambda one: one[series].quantile_ms(0.99) / one[series].quantile_ms(0.5)
    if series in (ENVOY_GRPC, ENVOY_REST):
        found["Envoy's CPU, µs a page"] = lambda one: one[series].cpu_us("envoy")
        found["Envoy + services, µs a page"] = _both(series)
    return found


def _both(series: str) -> Callable[[Round], float]:
    return lambda one: one[series].cpu_us("envoy") + one[series].cpu_us("services")


def _figure(series: str, measure: str, values: list[float], target: Target | None = None) -> Figure:
    return Figure(series, measure, min(values), statistics.median(values), max(values), target)
