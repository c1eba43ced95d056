"""Metrics: what a process tells Prometheus of itself, at `/metrics`.

The parts keep plain numbers. They are read when Prometheus asks, so that a press pays for no metric. Every word that a
label may have is known beforehand: a caller cannot make a new one, however odd the request.

Never: a label with a tenant, an owner, a path, an error's text, or any other word from outside.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Literal

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.process.spread import Spread

METRICS_PATH: Final = "/metrics"
# The words of a label that has a partition's number.
NUMBERS: Final[tuple[str, ...]] = ()

_Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
# One value for each combination of words, in the order of the metric's labels.
Samples = Iterable[tuple[tuple[str, ...], float | Spread]]
Readings = Mapping["Metric", Callable[[], Samples]]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name, what it says, and each label with all words that it may have."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    means: str
    labels: Mapping[str, Collection[str]] = field(default_factory=dict, hash=False)

    def family(self, samples: Samples = ()) -> _Family:
        """Return the metric as Prometheus' client has it. Raises ValueError for a word that is not one of the label."""
        makes = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}
        made: _Family = makes[self.kind](self.name, self.means, labels=list(self.labels))
        for words, value in samples:
            self._check(words)
            if isinstance(made, HistogramMetricFamily):
                assert isinstance(value, Spread)  # noqa: S101 - a bug in a reading
                made.add_metric(words, list(value.buckets()), value.total_seconds)
            else:
                assert not isinstance(value, Spread)  # noqa: S101 - as above
                made.add_metric(words, value)
        return made

    def _check(self, words: tuple[str, ...]) -> None:
        for (label, known), word in zip(self.labels.items(), words, strict=True):
            if word not in known and not (known is NUMBERS and word.isdecimal()):
                raise ValueError(f"{self.name}: {label} has a word that is not known beforehand")


# Those of every process.
READY: Final = Metric(
    "stint_ready", "gauge", "1 where a check of `/readyz` holds, else 0. The process is ready when all hold."
)
PARTITIONS: Final = Metric(
    "stint_partitions", "gauge", "Partitions of `timer.events.v1`, P. Absent until the broker was reached."
)
ALARMS: Final = Metric(
    "stint_alarms_total", "counter", "How often each alarm of docs/operations.md was raised since the process began."
)


def with_words(metric: Metric, **labels: Collection[str]) -> Metric:
    """Return a metric of every process with the words that this process has for its labels."""
    return Metric(metric.name, metric.kind, metric.means, labels)


def just(value: float | Spread | None) -> Samples:
    """Return the one sample of a metric without labels; None: there is none at the moment."""
    return [] if value is None else [((), value)]


def by_word(values: Mapping[str, float]) -> Samples:
    """Return the samples of a metric with one label."""
    return [((word,), value) for word, value in values.items()]


class _Read(Collector):
    """Reads all metrics of ours when Prometheus asks."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def describe(self) -> Iterable[_Family]:
        return [metric.family() for metric in self._readings]

    def collect(self) -> Iterable[_Family]:
        return [metric.family(read()) for metric, read in self._readings.items()]


def registry_of(readings: Readings) -> CollectorRegistry:
    """Return the registry of one process: ours, and the client's own of memory, CPU, files and garbage collection."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(_Read(readings))
    return registry


def metrics_route(readings: Readings) -> Route:
    """Return the route at which Prometheus asks. It is answered from memory, and to the path as it is spelt alone.

    A gateway keeps the path from strangers, and may compare what they sent: `/%6detrics` is another path to it.
    """
    registry = registry_of(readings)

    async def metrics(request: Request) -> Response:
        if request.scope["raw_path"] != METRICS_PATH.encode():
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    return Route(METRICS_PATH, metrics)
