"""Packed bodies: what goes in comes back byte for byte, for as long as rows are kept."""

import hashlib
import json
import random
import sys
from pathlib import Path
from typing import Final

import pytest

from deploy.outcome_dictionary import made_up, main, numbered
from services.projector.domain.outcomes import Kept
from services.projector.store.rows import Rows
from shared.events.models import OwnerTextsErased
from shared.events.outcome import read_outcome, write_outcome
from shared.packing.bodies import DamagedBodyError, UnknownDictionaryError, body_of, file_of, pack, unpack
from tests.support.story.given import fact, given, paused, resumed, started, stopped

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# A line is added for each new dictionary. No line is ever changed: rows in Postgres need these very bytes.
DICTIONARIES: Final = {1: "d5a4e4aed9d99a403c2c382617a9b52b51d1737e46d52f430d71e581a3fd355c"}
GOLDEN: Final = sorted((Path(__file__).parents[3] / "golden" / "outcomes").glob("*.json"))
# What a row of the first release with packed bodies holds, for the golden stop.
PACKED: Final = GOLDEN[0].with_suffix(".packed")
DAY: Final = given(
    started("desk", at="09:00"),
    paused("desk", at="09:20"),
    resumed("desk", at="09:30"),
    started("call", at="09:40"),
    stopped("desk", at="10:00"),
    stopped("nobody", at="10:10"),
)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_no_dictionary_was_changed_or_taken_away() -> None:
    found = {int(path.stem): sha256(path) for path in file_of(1).parent.glob("*.zdict")}
    assert found == DICTIONARIES
    for number in found:
        assert zstd.ZstdDict(file_of(number).read_bytes()).dict_id == number


def test_each_body_comes_back_byte_for_byte() -> None:
    bodies = [write_outcome(outcome) for outcome in DAY.outcomes]
    bodies += [b"", b"{}", b"\xff\x00" * 999, '{"owner":"\u05d3\u05e0\u05d4"}'.encode(), bodies[0] * 1000]
    assert [unpack(pack(body)) for body in bodies] == bodies


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_recorded_outcome_is_packed_to_a_fifth(path: Path) -> None:
    body = path.read_bytes()
    assert unpack(pack(body)) == body
    assert len(pack(body)) < len(body) / 5


def test_a_row_that_was_packed_before_is_read_for_ever() -> None:
    assert body_of("", PACKED.read_bytes()) == GOLDEN[0].read_text(encoding="utf-8")


def test_a_row_of_before_is_its_text() -> None:
    assert body_of('{"v":1}', None) == '{"v":1}'


def test_a_dictionary_of_a_newer_release_is_named() -> None:
    packed = zstd.compress(b"{}", zstd_dict=zstd.ZstdDict(_trained(200)))
    with pytest.raises(UnknownDictionaryError, match="dictionary 200"):
        unpack(packed)


WHOLE: Final = pack(GOLDEN[0].read_bytes())


@pytest.mark.parametrize(
    "packed",
    [b"", b"no frame", WHOLE[:9], WHOLE[:-1], WHOLE[:-9] + b"x" + WHOLE[-8:], pack(b"\xff\xfe"), zstd.compress(b"{}")],
    ids=["empty", "another format", "cut in its head", "cut", "another byte", "no UTF-8", "no dictionary"],
)
def test_bytes_that_are_not_those_that_were_written_are_told_apart(packed: bytes) -> None:
    """From those of a newer release, which an upgrade reads."""
    with pytest.raises(DamagedBodyError):
        body_of("", packed)


def test_a_dictionary_that_was_changed_gives_no_other_body() -> None:
    """The control of the pinned hashes: the frame itself knows that these are not its bytes."""
    changed = file_of(1).read_bytes()[:-400] + bytes(400)
    with pytest.raises(zstd.ZstdError):
        zstd.decompress(pack(GOLDEN[0].read_bytes()), zstd.ZstdDict(changed))


def test_presses_on_timers_are_packed_and_facts_stay_text() -> None:
    """SQL looks for erasures in the text of rows."""
    story = DAY.when(fact(OwnerTextsErased, at="11:00"))
    rows = Rows()
    for outcome in story.outcomes:
        rows.add(3, Kept(outcome, write_outcome(outcome)))
    written = rows.tables()["insert_outcomes"]
    forms = [(body == "", packed is None) for *_, body, packed in written]
    assert forms == [(True, False)] * 5 + [(False, True)] * 2
    bodies = [body_of(body, packed).encode() for *_, body, packed in written]
    assert bodies == [write_outcome(outcome) for outcome in story.outcomes]
    assert json.loads(written[-1][-2])["event_type"] == "owner.texts_erased.v1"


def test_samples_are_outcomes_that_any_reader_reads() -> None:
    chance = random.Random(7)
    for outcome in [made_up(chance) for _ in range(50)]:
        assert read_outcome(write_outcome(outcome)) == outcome


def test_a_number_that_is_taken_makes_no_dictionary(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sha256(file_of(1))
    monkeypatch.setattr("sys.argv", ["outcome_dictionary", "1"])
    with pytest.raises(SystemExit):
        main()
    assert "take the next number" in capsys.readouterr().err
    assert sha256(file_of(1)) == before


def _trained(number: int) -> bytes:
    return numbered(zstd.train_dict([b"{%d,%d}" % (n, n * n) * 9 for n in range(999)], 1024), number)
