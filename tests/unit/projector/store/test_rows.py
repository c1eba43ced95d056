"""Rows: what outcomes mean for each table, one commit at a time, in the columns that `unnest` takes."""

import json
from datetime import date
from uuid import UUID

import pytest

from services.projector.domain.entry import UnreadableRecord
from services.projector.domain.fold import refuse_entry
from services.projector.domain.outcomes import Kept
from services.projector.helpers.bulk import BESIDE_THE_FOLD
from services.projector.ports import Advance, Checkpoint
from services.projector.store import rows
from services.projector.store.queries import query
from services.projector.store.rows import columns, rows_of
from shared.events.codec import Unreadable
from shared.events.models import (
    OwnerAttendanceRecorded,
    OwnerLeaveGranted,
    OwnerLeaveRevoked,
    OwnerProfileSet,
    OwnerTextsErased,
)
from shared.events.outcome import write_outcome
from shared.events.policy import Mode, PastTime, Rules
from shared.events.value import replace
from shared.packing.bodies import pack
from tests.support.story.given import (
    DANA,
    JERUSALEM,
    NOAM,
    Story,
    book_of,
    fact,
    given,
    moment,
    new_ledger,
    paused,
    resumed,
    started,
    stopped,
    timer_id,
)
from tests.unit.projector.store.written import DESK, MINUTE_US, SLOT, WHOSE, advance, writes


def event(offset: int) -> UUID:
    return UUID(int=offset + 1)


def test_a_start_is_an_outcome_a_timer_and_an_open_interval() -> None:
    story = given(
        started("desk", at="09:00", job_id="J-1", work_date=date(2026, 3, 1), zone_assumed=True, reference="crm/7")
    )
    outcome = story.outcome
    assert writes(story) == {
        "insert_outcomes": [
            (3, 0, event(0), "acme", moment("09:00"), "", pack(write_outcome(outcome))),
        ],
        "upsert_timers": [
            (
                *(SLOT, DESK, "acme", "dana", None, "J-1", None, True, date(2026, 3, 1), "RUNNING"),
                *(moment("09:00"), None, 0, moment("09:00"), "zone_assumed", event(0), 0, None, "crm/7"),
            ),
        ],
        "upsert_intervals": [(SLOT, DESK, 1, *WHOSE, moment("09:00"), None, "Asia/Jerusalem", moment("09:00"), None)],
    }


def test_a_whole_life_in_one_commit_is_one_row_each() -> None:
    story = given(
        started("desk", at="21:00"),
        paused("desk", at="21:30", reason="lunch"),
        resumed("desk", at="21:45"),
        stopped("desk", at="22:15"),
    )
    written = writes(story)
    assert [row[:2] for row in written["insert_outcomes"]] == [(3, 0), (3, 1), (3, 2), (3, 3)]
    assert written["upsert_timers"] == [
        (
            *(SLOT, DESK, "acme", "dana", None, None, None, True, None, "STOPPED"),
            *(moment("21:00"), moment("22:15"), 60 * MINUTE_US, moment("22:15"), "", event(0), 3, None, None),
        )
    ]
    assert written["upsert_intervals"] == [
        (SLOT, DESK, 1, *WHOSE, moment("21:00"), moment("21:30"), "Asia/Jerusalem", moment("21:00"), "lunch"),
        (SLOT, DESK, 2, *WHOSE, moment("21:45"), moment("22:15"), "Asia/Jerusalem", moment("21:45"), None),
    ]
    assert sorted(written["add_day_totals"]) == [
        (SLOT, *WHOSE, date(2026, 3, 2), 45 * MINUTE_US, 45 * MINUTE_US, False),
        (SLOT, *WHOSE, date(2026, 3, 3), 15 * MINUTE_US, 15 * MINUTE_US, False),
    ]


def test_a_pause_in_a_later_commit_keeps_the_timers_starter() -> None:
    """Its own event stands in the starter's column, and the query does not update that column."""
    story = given(started("desk", at="09:00"), paused("desk", at="09:10"))
    (timer,) = writes(story, since=1)["upsert_timers"]
    assert timer[15] == event(1)
    assert "started_by = " not in query("upsert_timers").partition("DO UPDATE")[2]


def test_time_that_is_not_billable_is_worked_and_not_billed() -> None:
    story = given(
        started("desk", at="09:00", billable=False),
        stopped("desk", at="09:10"),
        started("phone", at="09:10"),
        stopped("phone", at="09:15"),
    )
    assert writes(story)["add_day_totals"] == [(SLOT, *WHOSE, date(2026, 3, 2), 15 * MINUTE_US, 5 * MINUTE_US, False)]


def test_a_day_that_was_locked_when_it_was_worked_on_says_so() -> None:
    """The timer began before the days up to today were locked."""
    locked = JERUSALEM.model_copy(
        update={"rules": Rules(R15=PastTime(mode=Mode.BLOCK, locked_before=date(2026, 3, 3)))}
    )
    story = Story(book_of(JERUSALEM, locked)).when(
        started("desk", at="21:30"), stopped("desk", at="22:30", policy_rev=3)
    )
    assert sorted(writes(story)["add_day_totals"]) == [
        (SLOT, *WHOSE, date(2026, 3, 2), 30 * MINUTE_US, 30 * MINUTE_US, True),
        (SLOT, *WHOSE, date(2026, 3, 3), 30 * MINUTE_US, 30 * MINUTE_US, False),
    ]


def test_time_counts_for_the_account_and_the_job_of_its_timer() -> None:
    """And it stays with its slot: what spans owners is summed when it is read."""
    story = given(
        started("desk", at="21:30", account_id="A-1", job_id="J-1", billable=False),
        stopped("desk", at="22:30"),
        started("phone", at="09:10", job_id="J-1"),
        stopped("phone", at="09:15"),
    )
    assert sorted(writes(story)["add_work_totals"]) == [
        (SLOT, "acme", "account", "A-1", date(2026, 3, 2), 30 * MINUTE_US, 0, False),
        (SLOT, "acme", "account", "A-1", date(2026, 3, 3), 30 * MINUTE_US, 0, False),
        (SLOT, "acme", "job", "J-1", date(2026, 3, 2), 35 * MINUTE_US, 5 * MINUTE_US, False),
        (SLOT, "acme", "job", "J-1", date(2026, 3, 3), 30 * MINUTE_US, 0, False),
    ]
    assert "add_work_totals" not in writes(given(started("desk", at="09:00"), stopped("desk", at="09:10")))


def test_a_worker_with_no_time_worked_has_no_day() -> None:
    story = given(started("desk", at="09:00"), stopped("desk", at="09:00"))
    assert "add_day_totals" not in writes(story)
    assert writes(story)["upsert_intervals"] == [
        (SLOT, DESK, 1, *WHOSE, moment("09:00"), moment("09:00"), "Asia/Jerusalem", moment("09:00"), None)
    ]


def test_a_stop_of_a_paused_timer_ends_no_interval() -> None:
    story = given(started("desk", at="09:00"), paused("desk", at="09:10"), stopped("desk", at="09:20"))
    assert set(writes(story, since=2)) == {"insert_outcomes", "upsert_timers"}


def test_a_repeated_stop_is_an_outcome_and_nothing_else() -> None:
    story = given(started("desk", at="09:00"), stopped("desk", at="09:10"), stopped("desk", at="09:20"))
    assert set(writes(story, since=2)) == {"insert_outcomes"}


def test_a_refused_press_is_an_outcome_and_its_finding() -> None:
    story = given(started("desk", at="09:00", by=DANA), paused("desk", at="09:10", by=NOAM))
    assert set(writes(story, since=1)) == {"insert_outcomes", "insert_violations"}
    assert writes(story, since=1)["insert_violations"] == [
        (SLOT, DESK, "R06", moment("09:10"), None, None, True, *WHOSE, event(1), 0)
    ]


def test_a_press_on_no_timer_is_an_outcome_and_nothing_else() -> None:
    assert set(writes(given(paused("desk", at="09:10")))) == {"insert_outcomes"}


def test_findings_keep_what_they_measured() -> None:
    story = given(started("desk", at="09:00"), started("phone", at="09:10"), paused("desk", at="09:20", asked="08:59"))
    assert writes(story)["insert_violations"] == [
        (SLOT, timer_id("phone"), "R13", moment("09:10"), None, None, False, *WHOSE, event(1), 0),
        (SLOT, DESK, "R18", moment("08:59"), moment("09:00"), MINUTE_US, False, *WHOSE, event(2), 0),
    ]


def test_a_finding_told_again_in_one_commit_is_one_row_and_ends_as_told_last() -> None:
    """Postgres refuses to write one row twice in a statement. The press that began the finding stays named."""
    story = given(started("desk", at="09:00"), paused("desk", at="09:05", asked="08:59"))
    (once,) = writes(story)["insert_violations"]
    story.when(resumed("desk", at="09:10"), paused("desk", at="09:15", asked="08:59"))
    (twice,) = writes(story)["insert_violations"]
    assert once == (SLOT, DESK, "R18", moment("08:59"), moment("09:00"), MINUTE_US, False, *WHOSE, event(1), 0)
    assert twice == (SLOT, DESK, "R18", moment("08:59"), moment("09:10"), 11 * MINUTE_US, False, *WHOSE, event(1), 0)


def test_flags_travel_as_text() -> None:
    story = given(started("desk", at="09:00"), started("phone", at="09:30", asked="09:10", zone_assumed=True))
    assert writes(story, since=1)["upsert_timers"][0][14] == "R13,late,zone_assumed"


def test_an_unreadable_record_is_an_outcome_and_a_dead_letter() -> None:
    ledger = new_ledger(3, 12)
    kept = refuse_entry(ledger, UnreadableRecord(41, moment("09:00"), Unreadable("no_body")), book_of(JERUSALEM))
    assert isinstance(kept, Kept)
    rows = rows_of([Advance(0, Checkpoint(3), [kept])])
    assert {name: list(zip(*lists, strict=True)) for name, lists in rows.writes()} == {
        "insert_outcomes": [(3, 41, None, None, moment("09:00"), kept.body.decode(), None)],
        "insert_dead_letters": [(3, 41, moment("09:00"), "no_body")],
    }


def test_facts_of_one_kind_and_subject_become_one_row() -> None:
    """Of each field, the newest value wins."""
    story = given(
        fact(OwnerProfileSet, "09:00", zone="Europe/Berlin", timers_disabled=True),
        fact(OwnerProfileSet, "09:01", zone="Africa/Cairo"),
        fact(OwnerLeaveGranted, "09:02", on="2026-04-02"),
        fact(OwnerLeaveGranted, "09:03", on="2026-04-03"),
        fact(OwnerTextsErased, "09:04"),
        fact(OwnerAttendanceRecorded, "09:05", on="2026-03-02", checked_in_at="2026-03-02T07:00:00Z"),
        fact(OwnerProfileSet, "09:06", zone="No/Where"),
    )
    facts = {row[3:5]: json.loads(row[5]) for row in writes(story)["learn_facts"]}
    assert facts == {
        ("profile", ""): {"zone": "Africa/Cairo", "timers_disabled": True},
        ("leave", "2026-04-02"): {"granted": True},
        ("leave", "2026-04-03"): {"granted": True},
        ("texts_erased", ""): {},
        ("attendance", "2026-03-02T07:00:00.000000Z"): {
            "on": "2026-03-02",
            "checked_in_at": "2026-03-02T07:00:00Z",
            "checked_out_at": None,
        },
    }
    assert {row[:3] for row in writes(story)["learn_facts"]} == {(SLOT, "acme", "dana")}


def test_an_attendance_with_the_same_check_in_replaces_the_old_one_whole() -> None:
    checked_in = {"on": "2026-03-02", "checked_in_at": "2026-03-02T07:00:00Z"}
    story = given(
        fact(OwnerAttendanceRecorded, "17:00", **checked_in, checked_out_at="2026-03-02T16:00:00Z"),
        fact(OwnerAttendanceRecorded, "17:05", **checked_in),
    )
    (row,) = writes(story)["learn_facts"]
    assert json.loads(row[5]) == checked_in | {"checked_out_at": None}


def test_a_fact_is_known_since_a_commit_told_it_first_unless_something_else_was_told_before() -> None:
    """The last value says that the row may be known in the same words, and yet not since then."""
    first, again = (fact(OwnerLeaveGranted, at, on="2026-04-02") for at in ("09:00", "09:10"))
    other = fact(OwnerLeaveRevoked, "09:05", on="2026-04-02")
    for told, known_at, changed in (
        ((first, again), "09:00", False),
        ((other, again), "09:10", True),
        ((first, other, again), "09:10", True),
    ):
        (row,) = writes(given(*told))["learn_facts"]
        assert row[5:] == ('{"granted": true}', moment(known_at), changed)


def test_texts_that_are_erased_twice_are_erased_since_the_last_time() -> None:
    """There are texts again in between: this erasure is not the first one told again."""
    (row,) = writes(given(fact(OwnerTextsErased, "09:00"), fact(OwnerTextsErased, "09:10")))["learn_facts"]
    assert row[5:] == ("{}", moment("09:10"), False)


def test_two_check_ins_of_one_day_are_two_rows() -> None:
    story = given(
        fact(OwnerAttendanceRecorded, "09:00", on="2026-03-02", checked_in_at="2026-03-02T07:00:00Z"),
        fact(OwnerAttendanceRecorded, "09:05", on="2026-03-02", checked_in_at="2026-03-02T07:00:00.000001Z"),
    )
    abouts = [row[4] for row in writes(story)["learn_facts"]]
    assert abouts == ["2026-03-02T07:00:00.000000Z", "2026-03-02T07:00:00.000001Z"]


def test_one_commit_of_several_partitions_writes_each_table_once() -> None:
    one, other = given(started("desk", at="09:00")), given(started("desk", at="09:00", owner="noam"))
    advances = [advance(one), Advance(0, Checkpoint(5), advance(other).outcomes)]
    names = [name for name, _ in rows_of(advances).writes()]
    assert names == ["insert_outcomes", "upsert_timers", "upsert_intervals", "insert_history", "move_deadlines"]
    outcomes = dict(rows_of(advances).writes())["insert_outcomes"]
    assert outcomes[0] == [3, 5]


def test_a_commit_without_outcomes_writes_nothing() -> None:
    assert rows_of([Advance(0, Checkpoint(3, 7), [])]).writes() == []


def test_an_interval_ends_before_the_next_of_its_timer_is_open() -> None:
    """Postgres checks each row as it comes, and refuses two open intervals of one timer."""
    story = given(
        started("desk", at="09:00"),
        started("phone", at="09:00"),
        paused("desk", at="09:10"),
        resumed("desk", at="09:20"),
    )
    desk = [row for row in writes(story)["upsert_intervals"] if row[1] == DESK]
    assert [(row[2], row[6]) for row in desk] == [(1, moment("09:10")), (2, None)]


def test_rows_become_columns_and_none_become_none() -> None:
    assert columns([(1, "a"), (2, "b")]) == [[1, 2], ["a", "b"]]
    assert columns([]) == []


def test_minutes_of_another_timer_are_billable_as_that_timer_is() -> None:
    """A timer that is not billable replaces a billable one. Each change says how its own timer stands."""
    story = given(started("desk", at="09:00"), started("phone", at="09:10", billable=False))
    ended_by_switch = given(started("desk", at="09:00"), stopped("desk", at="09:10")).outcome.changed[0]
    outcome = replace(story.outcome, changed=(ended_by_switch, *story.outcome.changed))
    rows = dict(rows_of([Advance(0, Checkpoint(3), [Kept(outcome, b"{}")])]).writes())
    assert rows["add_day_totals"][4:] == [[10 * MINUTE_US], [10 * MINUTE_US], [False]]
    assert rows["upsert_timers"][9] == ["STOPPED", "RUNNING"]


def test_a_rebuild_packs_no_body_that_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table `outcome` stands outside the read models. To pack for nothing was a sixth of a rebuild's work."""
    packed: list[bytes] = []

    def pack_one(body: bytes) -> bytes:
        packed.append(body)
        return pack(body)

    monkeypatch.setattr(rows, "pack", pack_one)
    story = given(started("desk", at="09:00"))
    without = rows_of([advance(story)], BESIDE_THE_FOLD).tables()
    assert packed == []
    with_all = rows_of([advance(story)]).tables()
    assert len(packed) == 1
    assert with_all.keys() - without.keys() == {"insert_outcomes"}
    assert without == {name: with_all[name] for name in without}
