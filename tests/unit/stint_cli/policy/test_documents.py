"""Documents in files: what `policy get` prints, `policy put` takes; each mistake is one sentence."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.stint_cli.policy.documents import for_put, of_the_clock, read_file, with_revision
from services.stint_cli.trouble import Trouble
from shared.events.policies.book import PolicyRecord
from shared.events.policies.document import Proposal, as_written
from shared.events.policies.revisions import Setting
from shared.events.policy import Policy, Preset

POLICY = Policy(preset=Preset.NATIVE, zone="Asia/Jerusalem")


def test_what_is_printed_can_be_put(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(for_put(as_written(POLICY), 42))
    assert read_file(str(file)) == Proposal(POLICY, 42, says_replaces=True)


def test_a_document_comes_from_stdin_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"preset": "native", "zone": "Asia/Jerusalem"}'))
    assert read_file("-") == Proposal(POLICY, None, says_replaces=False)


def test_a_document_is_told_as_over_http() -> None:
    record = PolicyRecord(replaces=None, set_by="avi", set_at=datetime(2026, 3, 1, tzinfo=UTC), document=POLICY)
    assert json.dumps(with_revision(7, record)) == (
        '{"preset": "native", "zone": "Asia/Jerusalem", "revision": 7, "replaces": null, "set_by": "avi", '
        '"set_at": "2026-03-01T00:00:00.000000Z"}'
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is not JSON"),
        ('{"zone": "UTC", "zone": "UTC"}', "is not JSON: a member is given twice"),
        ('{"zone": NaN}', "is not JSON: NaN is no number in JSON"),
        ('{"preset": "loud", "zone": "UTC"}', "preset: may be native, thebase, zoho"),
        ('{"preset": "native", "zone": "UTC", "revision": 3}', "revision: is added by GET"),
    ],
)
def test_a_wrong_document_is_told_in_one_line(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "policy.json"
    file.write_text(text)
    with pytest.raises(Trouble, match=why) as trouble:
        read_file(str(file))
    assert "\n" not in str(trouble.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"missing\.json cannot be read"):
        read_file(str(tmp_path / "missing.json"))
    (tmp_path / "latin").write_bytes(b"\xe9")
    with pytest.raises(Trouble, match="latin cannot be read"):
        read_file(str(tmp_path / "latin"))


@pytest.mark.parametrize("depth", [100, 900, 5_000, 100_000])
def test_a_document_that_is_nested_deeply_is_refused_in_one_line(tmp_path: Path, depth: int) -> None:
    file = tmp_path / "policy.json"
    file.write_text('{"zone":' + "[" * depth + "]" * depth + "}")
    with pytest.raises(Trouble) as trouble:
        read_file(str(file))
    assert "\n" not in str(trouble.value)


@pytest.mark.parametrize(
    ("set_at", "said"),
    [
        (datetime(2026, 3, 1, 12, 0, 25, tzinfo=UTC), ""),
        (
            datetime(2026, 3, 1, 6, tzinfo=UTC),
            " It counts from 2026-03-01T12:00:00+00:00, because the clock here is wrong",
        ),
        (
            datetime(2026, 3, 8, tzinfo=UTC),
            " It counts from 2026-03-01T12:00:00+00:00, because the clock here is wrong",
        ),
    ],
)
def test_who_sets_a_policy_by_a_wrong_clock_is_told_so(set_at: datetime, said: str) -> None:
    one = Setting(7, None, "stint avi", set_at, begins=datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert of_the_clock(one) == (said and f"{said}: correct it (NTP).")
