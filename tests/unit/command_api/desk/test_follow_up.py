"""FollowUp: 200, 202, 404 or R24, for a press that was answered 202 (docs/contract.md, section 4)."""

from datetime import UTC, datetime, timedelta

import pytest

from services.command_api.desk.follow_up import CLOCKS_APART, FollowUp, Place, follow_up_of
from services.command_api.desk.rows import OutcomeRow
from shared.events.idempotency import REMEMBERED
from tests.support.story.outcomes import EVENT_ID

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLACE = Place(3, 42, "a" * 16)
BEHIND, PAST = 42, 43


def row(offset: int = 42, digest: str | None = "a" * 64, age: timedelta = timedelta(minutes=1)) -> OutcomeRow:
    return OutcomeRow(3, offset, EVENT_ID, digest, NOW - age, "{}")


@pytest.mark.parametrize(
    ("place", "next_offset", "told"),
    [
        (PLACE, BEHIND, "not_yet"),
        (PLACE, 0, "not_yet"),
        (PLACE, PAST, "none"),
        (PLACE, None, "none"),  # no such partition
        (None, None, "none"),
    ],
)
def test_without_a_row_the_checkpoint_says_whether_one_may_come(
    place: Place | None, next_offset: int | None, told: FollowUp
) -> None:
    assert follow_up_of(None, place, next_offset, NOW) == told


@pytest.mark.parametrize("next_offset", [BEHIND, PAST])
def test_a_row_at_the_place_is_the_presss_own(next_offset: int) -> None:
    """This holds for any digest and age, and for a row that was judged after the checkpoint was read."""
    assert follow_up_of(row(digest="b" * 64, age=REMEMBERED * 2), PLACE, next_offset, NOW) == "shown"
    assert follow_up_of(row(digest=None), PLACE, next_offset, NOW) == "shown"


def test_a_row_is_shown_to_a_caller_without_a_place() -> None:
    assert follow_up_of(row(7, "b" * 64, REMEMBERED * 2), None, None, NOW) == "shown"


@pytest.mark.parametrize("next_offset", [BEHIND, PAST])
@pytest.mark.parametrize("offset", [7, 50])
def test_a_row_elsewhere_answers_a_retry_and_refuses_another_request(offset: int, next_offset: int) -> None:
    assert follow_up_of(row(offset), PLACE, next_offset, NOW) == "shown"
    assert follow_up_of(row(offset, "b" * 64), PLACE, next_offset, NOW) == "reused"
    assert follow_up_of(row(offset, None), PLACE, next_offset, NOW) == "reused"


def test_a_location_of_the_previous_release_is_still_answered() -> None:
    assert follow_up_of(row(7, "b" * 64), Place(3, 42), PAST, NOW) == "shown"


@pytest.mark.parametrize("digest", ["a" * 64, "b" * 64])
def test_an_outcome_of_30_days_ago_answers_for_no_new_press(digest: str) -> None:
    """Its row stays for another day. The fold judges the press as new, and the press gets a row of its own."""
    forgotten = REMEMBERED - CLOCKS_APART
    assert follow_up_of(row(7, digest, forgotten), PLACE, BEHIND, NOW) == "not_yet"
    assert follow_up_of(row(7, digest, forgotten - timedelta(microseconds=1)), PLACE, BEHIND, NOW) != "not_yet"


@pytest.mark.parametrize(("digest", "told"), [("a" * 64, "shown"), ("b" * 64, "reused")])
def test_once_the_place_is_passed_the_fold_has_heard_the_older_answer(digest: str, told: FollowUp) -> None:
    """The press came within the thirty days, or it would have a row of its own. The caller asks after them."""
    assert follow_up_of(row(7, digest, REMEMBERED + timedelta(hours=1)), PLACE, PAST, NOW) == told
