"""docs/metrics.md agrees with the metrics of all services: `make pages` writes it anew."""

import re
from dataclasses import replace
from typing import Any, Final, cast

import pytest

from deploy.pages import metrics as metrics_page
from deploy.pages.metrics import METRICS_OF, PAGE, page
from services.command_api import metrics as api
from services.command_api.desk.tally import Tally
from services.feed import metrics as feed
from services.projector import metrics as projector
from shared.process.alarms import Alarms
from tests.deploy.alarms import alarms

OURS: Final = {
    "services/command_api": api.ALARM_NAMES,
    "services/feed": feed.ALARM_NAMES,
    "services/projector": projector.ALARM_NAMES,
}
# A wall in pyproject.toml keeps the projector out of the first. Its background tasks have an alarm of their own.
NOT_OF_A_PROJECTOR: Final = ("shared/outside/", "shared/process/background.py")
NOTHING: Final[Any] = None


def test_the_page_is_as_the_metrics_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_a_metric_that_is_left_out_changes_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without one metric, or with another word, the test above would fail."""
    before = page()
    monkeypatch.setattr(metrics_page, "METRICS_OF", {"The command API": api.METRICS[1:]})
    assert page() != before
    more = replace(api.VERDICT_SECONDS, labels={"dialect": ("thebase", "morse")})
    monkeypatch.setattr(metrics_page, "METRICS_OF", {"The command API": (more,)})
    assert "`morse`" in page()


def test_every_metric_that_a_process_shows_is_on_the_page_and_no_other() -> None:
    listed = re.findall(r"^\| `(stint_\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    shown = [metric.name for metrics in METRICS_OF.values() for metric in metrics]
    assert listed == shown
    alarms_ = Alarms()
    of_the_api = api.readings(tally=Tally(), waiters=NOTHING, sender=NOTHING, ready={}, partitions={}, alarms=alarms_)
    assert tuple(of_the_api) == api.METRICS
    parts = projector.Parts(cast("projector.FoldTally", NOTHING), alarms_, {}, {}, NOTHING)
    parts.tally = projector.FoldTally(NOTHING)
    assert tuple(projector.readings(parts)) == projector.METRICS
    of_the_feed = feed.readings(room=NOTHING, answered={}, window=NOTHING, lag=NOTHING, ready={}, alarms=alarms_)
    assert tuple(of_the_feed) == feed.METRICS


@pytest.mark.parametrize("metric", [*api.METRICS, *projector.METRICS, *feed.METRICS], ids=lambda metric: metric.name)
def test_a_metric_is_named_as_prometheus_asks(metric: Any) -> None:  # noqa: ANN401 - a Metric
    assert re.fullmatch(r"stint_[a-z]+(_[a-z]+)*", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.kind != "histogram" or metric.name.endswith("_seconds")
    assert metric.means.endswith(".")


def test_each_process_counts_every_alarm_that_it_can_raise_and_no_other() -> None:
    """An alarm that is no word of the counter would never reach an alert."""
    for room, names in OURS.items():
        without = NOT_OF_A_PROJECTOR if room == "services/projector" else ()
        ours = {name: [p for p in places if not p.startswith(without)] for name, places in alarms().items()}
        raised = {name for name, places in ours.items() if any(p.startswith((room, "shared/")) for p in places)}
        assert sorted(names) == sorted(raised)
    assert {name for names in OURS.values() for name in names} == alarms().keys()
