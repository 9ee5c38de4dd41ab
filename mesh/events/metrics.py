"""What Prometheus sees of the bus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_GROUP = ("area", "group")

LAG = Gauge("tintype_events_lag", "Events that a group has not been given yet.", (*_GROUP, "shard"))
PENDING = Gauge("tintype_events_pending", "Events that a group holds and has not handled.", (*_GROUP, "shard"))
OLDEST = Gauge("tintype_events_oldest_age_seconds", "Age of the oldest unhandled event.", (*_GROUP, "shard"))
HANDLED = Counter("tintype_events_handled", "Events handled.", _GROUP)
RETRIES = Counter("tintype_events_retries", "Tries of a handler that failed and were repeated.", _GROUP)
DEAD = Counter("tintype_events_dead_letters", "Events given up after the last try.", _GROUP)
PUBLISHED = Counter("tintype_events_published", "Events put on the bus.", ("area",))
PUBLISH_DELAY = Histogram(
    "tintype_events_publish_delay_seconds",
    "From an event's making to the bus.",
    ("area",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
)
SWEPT = Counter("tintype_events_swept", "Events that the sweep found unpublished.", ("area",))
REBUILDS = Counter("tintype_events_rebuilds", "Shards republished because the bus had lost data.", ("area",))
WAITING = Gauge("tintype_events_waiting", "Events in memory that wait for the bus.", ("area",))
