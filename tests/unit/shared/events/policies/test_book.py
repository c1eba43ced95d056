"""The book of policies: which revision is in force, the same for every reader."""

from datetime import datetime, timedelta

import pytest

from shared.events.policies.book import NO_REVISION, NewerPolicyError, PolicyBook, PolicyRecord, Timeline
from shared.events.policies.terms import terms_of
from shared.events.policy import Policy, Preset
from tests.support.story.presses import NOON


def record(zone: str = "Asia/Jerusalem", *, replaces: int | None = None, preset: str = "native") -> bytes:
    document = Policy(preset=Preset(preset), zone=zone)
    return PolicyRecord(replaces=replaces, set_by="desk", set_at=NOON, document=document).model_dump_json().encode()


def book(*records: bytes | None, key: bytes = b"acme") -> PolicyBook:
    """Return a book of one tenant's records, from offset 0 on."""
    filled = PolicyBook()
    for offset, value in enumerate(records):
        filled.apply(offset, key, value, NOON)
    return filled


def test_an_empty_book_has_no_policy_for_any_tenant() -> None:
    empty = PolicyBook()
    assert (empty.position, empty.latest("acme"), empty.latest_revision("acme")) == (NO_REVISION, None, None)
    assert empty.in_force("acme", 99) is None


def test_the_first_policy_replaces_nothing() -> None:
    filled = PolicyBook()
    applied = filled.apply(0, b"acme", record(), NOON)
    assert applied is not None
    assert applied[0] == "acme"
    assert filled.latest("acme") == applied[1].document
    assert filled.latest_revision("acme") == filled.position == 0


def test_a_policy_that_names_the_one_in_force_replaces_it() -> None:
    filled = book(record("UTC"), record("Asia/Tokyo", replaces=0), record("Africa/Cairo", replaces=1))
    assert filled.latest_revision("acme") == 2
    assert [filled.in_force("acme", revision) for revision in range(-1, 4)] == [None, 0, 1, 2, 2]
    zones = [filled.timeline("acme", revision).latest.zone for revision in range(4)]
    assert zones == ["UTC", "Asia/Tokyo", "Africa/Cairo", "Africa/Cairo"]


def test_a_timeline_is_cut_where_another_document_came_into_force() -> None:
    """The second was in force for no time, because the third came at the same moment."""
    noon, one, two, three, four = (NOON + timedelta(hours=hours) for hours in range(5))
    zones = ("UTC", "Asia/Tokyo", "Africa/Cairo", "Asia/Jerusalem")
    documents = [terms_of(Policy(preset=Preset.NATIVE, zone=zone)) for zone in zones]
    timeline = Timeline((one, two, two, three), tuple(documents))

    def cut(since: datetime, until: datetime) -> list[tuple[datetime, datetime, str]]:
        return [(begin, end, terms.zone) for begin, end, terms in timeline.pieces(since, until)]

    assert cut(noon, four) == [(noon, two, "UTC"), (two, three, "Africa/Cairo"), (three, four, "Asia/Jerusalem")]
    assert (cut(two, three), cut(three, three)) == ([(two, three, "Africa/Cairo")], [])


@pytest.mark.parametrize("replaces", [None, 1, 7, -1])
def test_a_policy_that_names_another_revision_is_void(replaces: int | None) -> None:
    filled = book(record("UTC"))
    assert filled.apply(1, b"acme", record("Asia/Tokyo", replaces=replaces), NOON) is None
    assert filled.latest_revision("acme") == 0
    assert filled.position == 1  # seen nevertheless, because presses may wait for it


def test_the_first_of_two_that_replace_one_revision_wins() -> None:
    filled = book(record("UTC"), record("Asia/Tokyo", replaces=0), record("Africa/Cairo", replaces=0))
    latest = filled.latest("acme")
    assert latest is not None
    assert latest.zone == "Asia/Tokyo"


def test_a_revision_is_an_offset_and_may_have_other_tenants_in_between() -> None:
    filled = PolicyBook()
    for offset, (key, replaces) in enumerate(
        [(b"acme", None), (b"beta", None), (b"acme", 0), (b"beta", 0), (b"beta", 1)]
    ):
        filled.apply(offset, key, record(replaces=replaces), NOON)
    assert filled.latest_revision("acme") == 2
    assert filled.latest_revision("beta") == 4  # the one at 3 named another tenant's revision
    assert filled.in_force("acme", 3) == 2


def test_a_record_that_comes_again_changes_nothing() -> None:
    filled = book(record("UTC"), record("Asia/Tokyo", replaces=0))
    for offset, value in enumerate([record("UTC"), record("Asia/Tokyo", replaces=0)]):
        assert filled.apply(offset, b"acme", value, NOON) is None
        assert (filled.position, filled.latest_revision("acme")) == (1, 1)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, record()),
        (b"acme", None),
        (b"\xff", record()),
        (b"acme", b"not json"),
        (b"acme", b"\xff"),
        (b"acme", b"[" * 100_000),
        (b"acme", record(replaces=0).replace(b"Asia/Jerusalem", b"")),
        (b"acme", record(replaces=0).replace(b"Asia/Jerusalem", b"../etc/passwd")),
        (b"acme", record(replaces=0).replace(b'"weekend":[]', b'"weekend":7')),
        (b"acme", b"{}"),
        (b"acme", b'{"replaces":0}'),
        (b"acme", record(replaces=0).replace(b'"set_by":"desk"', b'"set_by":7,"mood":"good"')),
    ],
)
def test_an_unreadable_record_is_passed_and_leaves_the_policy_in_force(key: bytes | None, value: bytes | None) -> None:
    filled = book(record("UTC"))
    assert filled.apply(1, key, value, NOON) is None
    assert (filled.position, filled.latest_revision("acme")) == (1, 0)


# Known to a later release only: a field, a word, a zone (here on a planet that tzdata does not have yet).
LATER = [
    (b'"set_by":"desk"', b'"set_by":"desk","mood":"good"'),
    (b'"native"', b'"acme"'),
    (b"Asia/Tokyo", b"Mars/Olympus"),
]


@pytest.mark.parametrize(("ours", "theirs"), LATER)
def test_a_newer_document_stops_the_reader_where_it_was(ours: bytes, theirs: bytes) -> None:
    """If we called it void, newer readers would go on from it and we from the one before, for good."""
    filled = book(record("UTC"))
    newer = record("Asia/Tokyo", replaces=0).replace(ours, theirs)
    assert newer != record("Asia/Tokyo", replaces=0)
    with pytest.raises(NewerPolicyError, match="run that release"):
        filled.apply(1, b"acme", newer, NOON)
    assert (filled.position, filled.latest_revision("acme")) == (0, 0)


@pytest.mark.parametrize(("ours", "theirs"), LATER)
def test_a_newer_document_that_lost_its_race_stops_no_reader(ours: bytes, theirs: bytes) -> None:
    filled = book(record("UTC"), record("Africa/Cairo", replaces=0))
    assert filled.apply(2, b"acme", record("Asia/Tokyo", replaces=0).replace(ours, theirs), NOON) is None
    assert (filled.position, filled.latest_revision("acme")) == (2, 1)


@pytest.mark.parametrize("zones", [frozenset({"UTC", "Mars/Olympus"}), frozenset({"UTC"})])
def test_the_chain_is_the_same_or_waits_whatever_zones_are_known(
    zones: frozenset[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [record("UTC"), record("Asia/Tokyo", replaces=0).replace(b"Asia/Tokyo", b"Mars/Olympus")]
    records.append(record("UTC", replaces=1))
    monkeypatch.setattr("shared.events.zones._NAMES", zones)
    if "Mars/Olympus" in zones:
        assert book(*records).latest_revision("acme") == 2
    else:
        with pytest.raises(NewerPolicyError):
            book(*records)


def test_a_reader_takes_a_document_that_a_writer_should_not_set() -> None:
    """A later release may demand more of a document, or less, and the chain of revisions must not depend on that."""
    filled = book(record("UTC"), record("UTC", replaces=0, preset="zoho"), record("UTC", replaces=1))
    assert filled.latest_revision("acme") == 2
    judged_by = filled.record("acme", 1)
    assert judged_by is not None
    assert judged_by.document.unfit != ()


def test_a_passed_gap_holds_no_revision_and_hides_no_record() -> None:
    """A transaction ends with a control record: an offset that no reader is given."""
    filled = book(record("UTC"))
    filled.pass_gap(before=3)
    assert (filled.position, filled.latest_revision("acme")) == (2, 0)
    assert filled.apply(3, b"acme", record("Asia/Tokyo", replaces=0), NOON) is not None
    filled.pass_gap(before=2)
    assert (filled.position, filled.latest_revision("acme")) == (3, 3)


def test_every_record_that_came_into_force_stays_readable() -> None:
    filled = book(record("UTC"), b"void", record("Asia/Tokyo", replaces=0), record("Asia/Tokyo", replaces=0))
    zones = [found and found.document.zone for found in (filled.record("acme", revision) for revision in range(-1, 5))]
    assert zones == [None, "UTC", None, "Asia/Tokyo", None, None]
    assert filled.record("other", 0) is None


def test_the_history_is_told_newest_first_in_pages() -> None:
    filled = book(record(), b"void", record(replaces=0), record(replaces=2))
    filled.apply(4, b"other", record(), NOON)

    def told(before: int | None, most: int) -> list[tuple[int, int | None]]:
        return [(kept.revision, kept.replaces) for kept in filled.history("acme", before, most)]

    assert told(None, 9) == [(3, 2), (2, 0), (0, None)]
    assert told(None, 2) == [(3, 2), (2, 0)]
    assert told(2, 2) == told(1, 9) == [(0, None)]
    assert told(0, 9) == []
    assert filled.history("nobody", None, 9) == []


def test_the_book_tells_whose_policy_came_into_force_between_two_revisions() -> None:
    """Of their owners, deadlines may have come nearer. A void record changes nobody's."""
    filled = PolicyBook()
    for offset, key in enumerate([b"acme", b"other", b"acme"]):
        filled.apply(offset, key, record(replaces=0 if offset == 2 else None), NOON)
    filled.apply(3, b"other", record(replaces=0), NOON)
    assert filled.changed_within(NO_REVISION, 0) == ["acme"]
    assert filled.changed_within(0, 1) == ["other"]
    assert filled.changed_within(NO_REVISION, 3) == ["acme", "other"]
    assert filled.changed_within(2, 9) == []
