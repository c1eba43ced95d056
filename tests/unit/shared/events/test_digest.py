"""The digest: when two requests under one key ask for the same."""

import pytest

from shared.events.digest import digest_of

GIVEN = {"account_id": "77", "at": "2026-03-01T09:00:00Z", "comment": "שלום"}


def test_a_digest_never_changes() -> None:
    """It lies on the log beside its event, and a retry may come weeks and releases later."""
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
        ("start", "dana", GIVEN | {"at": "2026-03-01T09:00:00.0Z"}),  # the same instant, spelt otherwise
        ("start", "dana", GIVEN | {"comment": "שלום "}),
        ("start", "dana", GIVEN | {"billable": False}),
        ("start", "dana", {"account_id": "77", "at": "2026-03-01T09:00:00Z", "work_item": "שלום"}),
    ],
)
def test_whatever_else_is_asked_for_is_another_digest(
    verb: str, target: str, given: dict[str, str | bool | None]
) -> None:
    assert digest_of(verb, target, given) != digest_of("start", "dana", GIVEN)


def test_false_is_said_and_is_not_the_word_false() -> None:
    said = {digest_of("start", "dana", {"billable": value}) for value in (False, True, "false", None)}
    assert len(said) == 4
