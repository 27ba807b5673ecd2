"""Prometheus figures over all processes of the town (multiprocess mode: files in PROMETHEUS_MULTIPROC_DIR)."""

import functools
import os

from prometheus_client import REGISTRY as DEFAULT_REGISTRY
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

REQUESTS = Counter("town_requests_total", "Answers given", ["surface", "route", "status"])
SECONDS = Histogram(
    "town_request_seconds",
    "Time to answer",
    ["surface"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
OUTSIDE = Counter("town_outside_calls_total", "Calls to providers by outcome", ["telephone", "outcome"])
NOTICES = Counter("town_notices_total", "Notices heard, by verdict", ["provider", "verdict"])
SET_ASIDE = Counter(
    "town_notices_set_aside_total", "Authentic notices that could not be used", ["provider", "kind"]
)
CHORES = Counter("town_chores_total", "Chores run, by outcome", ["chore", "outcome"])
DELIVERIES = Counter("town_deliveries_total", "Events given to ears, by outcome", ["ear", "outcome"])
BACKLOG = Gauge(
    "town_outbox_deliveries", "Deliveries not done, by state", ["state"], multiprocess_mode="mostrecent"
)


def answered(surface: str, route: str, status: int, seconds: float) -> None:
    """Count one answer."""
    answers, took = _of_answers(surface, route, status)
    answers.inc()
    took.observe(seconds)


@functools.lru_cache(maxsize=4096)
def _of_answers(surface: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """The children of the two figures: looking them up by label costs more than counting."""
    return REQUESTS.labels(surface, route, str(status)), SECONDS.labels(surface)


def exposition() -> bytes:
    """The figures of all processes in the text format."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(DEFAULT_REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
