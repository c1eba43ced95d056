"""Metrics: words that are known beforehand, histograms as Prometheus reads them, a registry for each process."""

import httpx2 as httpx
import prometheus_client
import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from shared.process.http.paths import whole_paths
from shared.process.metrics import METRICS_PATH, NUMBERS, Metric, Readings, by_word, just, metrics_route, registry_of
from shared.process.spread import BOUNDS_SECONDS, Spread

DOORS = Metric("stint_doors_total", "counter", "Doors that were opened.", {"door": ("front", "back")})
PARTS = Metric("stint_part_lag", "gauge", "How far a partition is behind.", {"partition": NUMBERS})
WAIT = Metric("stint_wait_seconds", "histogram", "How long a caller waited.")


def shown(readings: Readings) -> dict[tuple[str, tuple[str, ...]], float]:
    text = generate_latest(registry_of(readings)).decode()
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    return {(one.name, tuple(one.labels.values())): one.value for one in samples}


def test_each_metric_is_read_when_it_is_asked_for() -> None:
    counts = {"front": 1.0}
    registry = registry_of({DOORS: lambda: by_word(counts)})
    assert b'stint_doors_total{door="front"} 1.0' in generate_latest(registry)
    counts["front"] = 2.0
    assert b'stint_doors_total{door="front"} 2.0' in generate_latest(registry)


@pytest.mark.parametrize(("metric", "word"), [(DOORS, "window"), (DOORS, "3"), (PARTS, "front"), (PARTS, "-1")])
def test_a_word_that_is_not_known_beforehand_is_refused(metric: Metric, word: str) -> None:
    with pytest.raises(ValueError, match="not known beforehand"):
        metric.family(by_word({word: 1.0}))


def test_a_partition_has_its_number() -> None:
    assert shown({PARTS: lambda: by_word({"11": 3.0})})["stint_part_lag", ("11",)] == 3


def test_a_metric_without_a_value_is_not_shown() -> None:
    assert not [name for name, _ in shown({WAIT: lambda: just(None)}) if name.startswith("stint_")]


def test_a_spread_is_a_histogram_whose_bounds_belong_to_their_buckets() -> None:
    spread = Spread()
    for seconds in (0.005, 0.006, 2.0, 31.0, -0.001):
        spread.add(seconds)
    samples = shown({WAIT: lambda: just(spread)})
    buckets = {words[0]: value for (name, words), value in samples.items() if name == "stint_wait_seconds_bucket"}
    assert len(buckets) == len(BOUNDS_SECONDS) + 1
    assert [buckets[bound] for bound in ("0.005", "0.01", "1.0", "2.0", "30.0", "+Inf")] == [2, 3, 3, 4, 4, 5]
    assert samples["stint_wait_seconds_count", ()] == 5
    assert samples["stint_wait_seconds_sum", ()] == pytest.approx(33.011)


def test_memory_and_garbage_collection_of_the_process_are_shown() -> None:
    names = {name for name, _ in shown({})}
    assert {"process_resident_memory_bytes", "process_cpu_seconds_total", "python_gc_collections_total"} <= names


def test_nothing_of_ours_is_in_the_librarys_global_registry() -> None:
    assert shown({DOORS: lambda: by_word({"front": 1.0})})
    assert b"stint_" not in generate_latest(prometheus_client.REGISTRY)


@pytest.mark.parametrize("path", ["/metrics%0A", "/metrics/", "/metrics;a", "/METRICS", "/metrics%2F"])
async def test_no_other_spelling_of_the_path_shows_metrics(path: str) -> None:
    """A gateway that refuses the path must not be led past by a spelling that it takes for another."""
    app = Starlette(routes=whole_paths([metrics_route({})]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://process.test") as http:
        assert (await http.get(path)).status_code in {404, 307}


async def test_prometheus_is_answered_in_its_own_format() -> None:
    app = Starlette(routes=[metrics_route({DOORS: lambda: by_word({"front": 1.0})})])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://process.test") as http:
        answer = await http.get(METRICS_PATH)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# HELP stint_doors_total Doors that were opened." in answer.text
