"""Reports: rows of timers, intervals, days and findings tell one story, whatever was pressed and whatever fell due."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from hypothesis import event, given

from services.projector.domain.sheet.evolve import LASTING
from services.projector.ports import Advance, Checkpoint
from shared.events.calendar import split
from tests.support.story.documents import Revisions, revisions
from tests.support.story.folded import folded, kept_of
from tests.support.story.histories import Entry, histories
from tests.world.columns import COLUMNS
from tests.world.tables import Tables

US: Final = timedelta(microseconds=1)


def rows_of(log: Sequence[Entry], under: Revisions) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each table after a log, with their columns by name."""
    tables = Tables({0: Checkpoint(0)})
    tables.write([Advance(0, Checkpoint(0), kept_of(folded(log, under)[1]))])
    return {
        name: [dict(zip(COLUMNS[name], row, strict=True)) for row in rows.values()]
        for name, rows in tables.rows.items()
    }


@given(histories, revisions)
def test_timers_intervals_and_days_of_an_owner_have_one_sum(log: list[Entry], under: Revisions) -> None:
    rows = rows_of(log, under)
    timers, intervals, days, billable, billable_days = (Counter[tuple[str, str]]() for _ in range(5))
    for timer in rows["timer"]:
        timers[timer["tenant"], timer["owner"]] += timer["total_us"]
        billable[timer["tenant"], timer["owner"]] += timer["total_us"] if timer["billable"] else 0
    for interval in rows["interval"]:
        if interval["end_at"] is not None:
            intervals[interval["tenant"], interval["owner"]] += (interval["end_at"] - interval["start_at"]) // US
    for day in rows["day_total"]:
        days[day["tenant"], day["owner"]] += day["total_us"]
        billable_days[day["tenant"], day["owner"]] += day["billable_us"]
    # A comparison of counters takes what is missing as nothing.
    assert timers == intervals == days
    assert billable == billable_days


@given(histories, revisions)
def test_each_day_has_what_its_intervals_have_on_it(log: list[Entry], under: Revisions) -> None:
    rows = rows_of(log, under)
    worked: Counter[tuple[Any, ...]] = Counter()
    for interval in rows["interval"]:
        if interval["end_at"] is not None:
            for part in split(interval["start_at"], interval["end_at"], interval["zone"]):
                worked[interval["tenant"], interval["owner"], part.on] += part.us
    assert worked == Counter({(row["tenant"], row["owner"], row["day"]): row["total_us"] for row in rows["day_total"]})


@given(histories, revisions)
def test_every_finding_that_opened_has_ended_when_its_timer_does_not_run(log: list[Entry], under: Revisions) -> None:
    rows = rows_of(log, under)
    state = {timer["id"]: timer["state"] for timer in rows["timer"]}
    still_open = defaultdict(list)
    for finding in rows["violation"]:
        if finding["refused"] or finding["rule"] not in LASTING:
            continue
        event(f"{finding['rule']} {'open' if finding['to_at'] is None else 'ended'}")
        if finding["to_at"] is None:
            still_open[finding["timer_id"]].append(finding["rule"])
        else:
            assert finding["amount_us"] == (finding["to_at"] - finding["from_at"]) // US >= 0
    for timer, broken in still_open.items():
        assert state[timer] == "RUNNING"
        # And while it runs, none is open twice.
        assert len(broken) == len(set(broken))
