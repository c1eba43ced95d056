"""Releases apart: this release reads what the next one writes, and waits only where the record says so."""

import json
from typing import Any
from uuid import UUID

import pytest

from services.projector.domain.outcomes import Kept
from services.projector.domain.sheet.evolve import evolve
from services.projector.domain.sheet.state import Timesheet
from services.projector.ports import Advance, Checkpoint
from services.projector.store.rows import rows_of
from shared.events.outcome import (
    NewerOutcomeError,
    UnreadableOutcomeError,
    digest_of_body,
    key_of_body,
    outcome_key,
    read_outcome,
    read_replies,
)
from tests.support.story.given import given, paused, started

CANARY = "canary-7f3a"


def this_release() -> dict[str, Any]:
    """Return an outcome as this release writes it: a pause that changed a timer, and has a finding."""
    story = given(started("desk", at="09:00"), started("phone", at="09:05"), paused("phone", at="09:00", asked="09:01"))
    said: dict[str, Any] = json.loads(story.answers[-1].body)
    assert said["changed"][0]["closed"] is not None
    assert said["findings"]
    return said


def next_release() -> dict[str, Any]:
    """Return the same with one more member in every object, and with words unknown to this release."""

    def more(value: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, dict):
            return {name: more(inner) for name, inner in value.items()} | {"mood": {CANARY: [1]}}
        return [more(inner) for inner in value] if isinstance(value, list) else value

    said: dict[str, Any] = more(this_release())
    said["actor"]["role"] = "kiosk"
    said["dialect"] = "graphql"
    said["changed"][0]["by"] = "merge"
    said["findings"][0]["rule"] = "R77"
    said["flags"] = [*said["flags"], "R77"]
    return said


def written(said: dict[str, Any]) -> bytes:
    return json.dumps(said).encode()


def test_members_of_the_next_release_are_ignored_in_an_outcome() -> None:
    read, ours = read_outcome(written(next_release())), read_outcome(written(this_release()))
    assert read.changed[0].after == ours.changed[0].after
    assert read.changed[0].closed == ours.changed[0].closed
    assert read.timer == ours.timer
    assert (read.verdict, read.source_offset, read.digest) == (ours.verdict, ours.source_offset, ours.digest)


def test_words_of_the_next_release_are_taken_as_they_are() -> None:
    read = read_outcome(written(next_release()))
    assert read.actor is not None
    assert (read.actor.role, read.dialect, read.changed[0].by) == ("kiosk", "graphql", "merge")
    assert read.findings[0].rule == "R77"


def test_an_outcome_of_the_next_release_folds_like_ours() -> None:
    """An older projector that takes a partition back goes on from the newer one's verdicts, with the same rows."""
    dana = Timesheet("acme", "dana")
    read, ours = read_outcome(written(next_release())), read_outcome(written(this_release()))
    assert evolve(dana, read).timers == evolve(dana, ours).timers
    advance = Advance(0, Checkpoint(0), [Kept(read, written(next_release()))])
    rows = dict(rows_of([advance]).writes())
    assert (
        rows["upsert_timers"] == dict(rows_of([Advance(0, Checkpoint(0), [Kept(ours, b"")])]).writes())["upsert_timers"]
    )


@pytest.mark.parametrize("newer", [{}, {"v": 2}, {"verdict": "weighed"}])
def test_a_row_of_the_next_release_has_the_same_topic_key(newer: dict[str, object]) -> None:
    """It is published by whoever has the partition, also where this release could not read it."""
    body = written(next_release() | newer)
    assert key_of_body(body) == outcome_key(read_outcome(written(this_release()))) == b"acme/dana"


def test_a_row_of_the_next_release_says_what_was_asked() -> None:
    assert digest_of_body(written(next_release())) == this_release()["digest"] is not None
    # A release that asks in another way.
    assert digest_of_body('{"v":2}') is None


def test_a_reply_of_the_next_release_answers_its_waiter() -> None:
    record = written([{"request_id": "r-1", "outcome": next_release(), "mood": 1}])  # type: ignore[arg-type]
    (reply,) = read_replies(record)
    assert (reply.request_id, reply.outcome.verdict) == ("r-1", "accepted")


@pytest.mark.parametrize(
    "changed",
    [{"v": 2}, {"v": 2, "verdict": {"kind": "split"}}, {"v": 7, "changed": "all"}, {"verdict": "postponed"}],
    ids=["version alone", "another shape", "another shape still", "a word that must be understood"],
)
def test_an_outcome_of_a_newer_version_says_so(changed: dict[str, Any]) -> None:
    with pytest.raises(NewerOutcomeError):
        read_outcome(written(next_release() | changed))


@pytest.mark.parametrize(
    "changed", [{"v": 2}, {"v": 2, "verdict": {"kind": "split"}}, {"verdict": "postponed"}], ids=str
)
def test_a_reply_of_a_newer_version_says_so(changed: dict[str, Any]) -> None:
    """A service then installs the newer formats; what is unreadable it may skip."""
    answers = [
        {"request_id": "r-0", "outcome": next_release()},
        {"request_id": "r-1", "outcome": next_release() | changed},
    ]
    with pytest.raises(NewerOutcomeError):
        read_replies(written(answers))  # type: ignore[arg-type]


def test_a_state_that_this_release_does_not_know_is_newer() -> None:
    said = next_release()
    said["timer"]["state"] = said["changed"][0]["after"]["state"] = "SUSPENDED"
    with pytest.raises(NewerOutcomeError):
        read_outcome(written(said))


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"not json", b'{"v":1}', b'{"mood":"canary-7f3a"}', written({"v": CANARY, CANARY: 1})],
)
def test_a_malformed_outcome_is_unreadable_and_not_quoted(body: bytes) -> None:
    with pytest.raises(UnreadableOutcomeError) as caught:
        read_outcome(body)
    assert str(caught.value)
    assert CANARY not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_an_outcome_without_optional_members_is_read_too() -> None:
    """Absent and null mean the same."""
    said = {name: value for name, value in this_release().items() if value is not None}
    said["changed"] = [{n: v for n, v in change.items() if v is not None} for change in said["changed"]]
    del said["changed"][0]["closed"]["was"]
    required = dict.fromkeys(("asked_at", "at", "policy_revision"))
    assert read_outcome(written(required | said)) == read_outcome(written(this_release()))
    assert UUID(said["event_id"]).int
