"""The fleet in numbers, as Prometheus reads them. prometheus_client is met here alone, at the first look.

No label names a session: there are too many of them, and they end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from typing_extensions import override

from orchestrator.domain.status import Status
from orchestrator.ports.meter import Meter

CONTENT_TYPE = CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What is told."""

    version: str
    statuses: Iterable[str] = ()
    """Of each session that is live, in any order."""
    ticks: int = 0
    ticks_failed: int = 0
    tick_seconds: float = 0.0
    last_tick_seconds: float = 0.0
    last_tick_age: float | None = None
    events: int = 0
    requests: Mapping[str, int] = field(default_factory=dict)
    """`done` and `failed` since the start."""
    requests_running: int = 0
    notifiers: Iterable[str] = ()
    """Those that are told."""
    notifiers_in_trouble: Iterable[str] = ()
    limits: Iterable[Meter] = ()
    """Of outside services."""
    webhook_deliveries: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By event and outcome, since the start."""
    conversations_behind: Mapping[str, int] = field(default_factory=dict)
    """By chat surface."""
    calls: Mapping[str, int] = field(default_factory=dict)
    """Calls of each chat surface since the start."""


def text(numbers: Numbers) -> bytes:
    """The numbers in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Fleet(numbers))
    return generate_latest(registry)


class _Fleet(Collector):
    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    @override
    def collect(self) -> Iterable[Metric]:
        n = self._numbers
        yield _labelled(GaugeMetricFamily("ao_info", "Which ao answers.", labels=["version"]), {n.version: 1})
        counted = Counter(n.statuses)
        sessions = GaugeMetricFamily("ao_sessions", "Live sessions by status.", labels=["status"])
        yield _labelled(sessions, {status.value: counted[status.value] for status in Status})
        yield CounterMetricFamily("ao_ticks", "Rounds of the ring since the start.", n.ticks)
        yield CounterMetricFamily("ao_ticks_failed", "Rounds that failed as a whole.", n.ticks_failed)
        yield CounterMetricFamily("ao_tick_seconds", "Seconds that all rounds took together.", n.tick_seconds)
        yield GaugeMetricFamily(
            "ao_last_tick_seconds", "Seconds that the last round took.", n.last_tick_seconds
        )
        if n.last_tick_age is not None:
            yield GaugeMetricFamily(
                "ao_last_tick_age_seconds", "Seconds since the last round.", n.last_tick_age
            )
        yield CounterMetricFamily("ao_events", "Events in the log: the newest one's number.", n.events)
        requests = CounterMetricFamily(
            "ao_requests", "Requests that ended since the start.", labels=["outcome"]
        )
        yield _labelled(requests, n.requests)
        yield GaugeMetricFamily("ao_requests_running", "Requests that run.", n.requests_running)
        talks = GaugeMetricFamily(
            "ao_conversations_behind", "Sessions whose card or thread is behind.", labels=["surface"]
        )
        yield _labelled(talks, n.conversations_behind)
        for surface, calls in n.calls.items():
            yield CounterMetricFamily(
                f"ao_{surface}_calls", f"Calls of {surface}'s API since the start.", calls
            )
        behind = set(n.notifiers_in_trouble)
        trouble = GaugeMetricFamily(
            "ao_notifier_trouble", "1 while a notifier is behind.", labels=["notifier"]
        )
        yield _labelled(trouble, {name: int(name in behind) for name in sorted({*n.notifiers, *behind})})
        yield from _limits(tuple(n.limits))
        yield _deliveries(n.webhook_deliveries)


def _deliveries(counted: Mapping[tuple[str, str], int]) -> Metric:
    found = CounterMetricFamily(
        "ao_webhook_deliveries",
        "Deliveries of webhooks since the start; no event is told of what nobody vouches for.",
        labels=["event", "outcome"],
    )
    for labels, count in sorted(counted.items()):
        found.add_metric(labels, count)
    return found


def _limits(meters: Sequence[Meter]) -> Iterable[Metric]:
    """`github.com graphql` is told as host and kind, under the service that its plugins are named for."""
    families: tuple[GaugeMetricFamily | CounterMetricFamily, ...] = (
        GaugeMetricFamily("ao_github_remaining", "Calls or points that are left.", labels=["host", "kind"]),
        GaugeMetricFamily("ao_github_limit", "Calls or points an hour.", labels=["host", "kind"]),
        GaugeMetricFamily("ao_github_reset_seconds", "When it is full again.", labels=["host", "kind"]),
        CounterMetricFamily("ao_github_calls", "Calls since the start.", labels=["host", "kind"]),
    )
    for meter in meters:
        host, _, kind = meter.name.partition(" ")
        values = (meter.remaining, meter.limit, meter.resets_at, meter.calls)
        for family, value in zip(families, values, strict=True):
            if meter.limit or family is families[-1]:
                family.add_metric([host, kind], value)
    return families if meters else ()


def _labelled(
    family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[str, float]
) -> CounterMetricFamily | GaugeMetricFamily:
    for label, value in values.items():
        family.add_metric([label], value)
    return family
