"""One key: which presses are one event, when two presses ask for the same, and how long a key is remembered."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.events.idempotency import Use, digest_of, keyed_event_id, recall

LOGGED = datetime(2026, 3, 1, 9, tzinfo=UTC)
GIVEN = {"account_id": "77", "at": "2026-03-01T09:00:00Z", "comment": "שלום"}


def test_a_digest_never_changes() -> None:
    """The digest is on the log beside its event, and a retry may come weeks and releases later."""
    assert (
        digest_of("start", "dana", {"at": "2026"}) == "4ab382218520740e6bd489495637a43e2dd1e536ca85e047f55de3fa894e4439"
    )


def test_the_order_of_parameters_does_not_count() -> None:
    assert digest_of("start", "dana", GIVEN) == digest_of("start", "dana", dict(reversed(GIVEN.items())))


def test_absent_null_and_empty_are_the_same() -> None:
    assert digest_of("start", "dana", GIVEN) == digest_of("start", "dana", GIVEN | {"job_id": None, "project_id": ""})


@pytest.mark.parametrize(
    ("verb", "target", "given"),
    [
        ("stop", "dana", GIVEN),
        ("start", "dan", GIVEN),
        ("start", "dana", GIVEN | {"account_id": "077"}),
        ("start", "dana", GIVEN | {"at": "2026-03-01T09:00:00.0Z"}),  # the same instant, written differently
        ("start", "dana", GIVEN | {"comment": "שלום "}),
        ("start", "dana", GIVEN | {"billable": False}),
        ("start", "dana", {"account_id": "77", "at": "2026-03-01T09:00:00Z", "work_item": "שלום"}),
    ],
)
def test_a_press_that_asks_otherwise_has_another_digest(
    verb: str, target: str, given: dict[str, str | bool | None]
) -> None:
    assert digest_of(verb, target, given) != digest_of("start", "dana", GIVEN)


def test_false_is_not_the_text_false() -> None:
    said = {digest_of("start", "dana", {"billable": value}) for value in (False, True, "false", None)}
    assert len(said) == 4


def test_one_key_of_one_client_on_one_target_is_one_event_id() -> None:
    assert str(keyed_event_id("acme", "desk", "owner", "7", "k")) == "8544a5df-0ce3-5973-abd1-db4f857a19b3"


@pytest.mark.parametrize(
    "other",
    [
        ("other", "desk", "owner", "7", "k"),
        ("acme", "phone", "owner", "7", "k"),
        ("acme", "desk", "timer", "7", "k"),
        ("acme", "desk", "owner", "8", "k"),
        ("acme", "desk", "owner", "7", "K"),
        ("acme", "desk", "owner", '7","k', ""),
        ("acme", 'desk","owner', "7", "k", ""),
    ],
)
def test_another_tenant_client_target_or_key_is_another_event_id(other: tuple[str, str, str, str, str]) -> None:
    assert keyed_event_id(*other) != keyed_event_id("acme", "desk", "owner", "7", "k")


@pytest.mark.parametrize("digest", ["same", "other"])
def test_a_key_is_forgotten_after_thirty_days_to_the_microsecond(digest: str) -> None:
    judged = Use("same", LOGGED)
    after = LOGGED + timedelta(days=30)
    assert recall(judged, Use(digest, after)) == "forgotten"
    assert recall(judged, Use(digest, after - timedelta(microseconds=1))) != "forgotten"


def test_the_same_request_is_known_and_another_reuses_the_key() -> None:
    assert recall(Use("same", LOGGED), Use("same", LOGGED)) == "known"
    assert recall(Use("same", LOGGED), Use("other", LOGGED)) == "reused"


def test_a_log_whose_clock_went_back_still_knows_the_key() -> None:
    assert recall(Use("same", LOGGED), Use("same", LOGGED - timedelta(days=40))) == "known"
