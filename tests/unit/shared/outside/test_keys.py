"""Keys of an issuer: which are taken, when they are fetched, and what stays while the issuer is away."""

import asyncio
from dataclasses import dataclass

import pytest
from joserfc.jwk import OctKey

from shared.outside.fetching import SourceAwayError
from shared.outside.keys import IssuerKeys, keys_in
from tests.support.story.signing import ISSUER, curve, key_set, rsa, told

ONE = told(rsa("one"), "one")
TWO = told(rsa("two"), "two")


class EnoughError(Exception):
    """The test has seen what it wanted to see."""


@dataclass
class Wired:
    body: bytes = key_set(ONE)
    away: bool = False
    asked: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.keys = IssuerKeys(ISSUER, ("RS256",), self._fetch, lambda: self.seconds)

    async def _fetch(self) -> bytes:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise SourceAwayError("status 503")
        return self.body

    async def has(self, kid: str) -> bool:
        return await self.keys.key(kid, "RS256") is not None


async def test_an_unknown_name_is_fetched_for_at_most_once_in_thirty_seconds() -> None:
    it = Wired()
    assert await it.has("one")
    it.body = key_set(ONE, TWO)
    assert [await it.has("two"), it.asked] == [False, 1]
    it.seconds = 29.9
    assert [await it.has("two"), it.asked] == [False, 1]
    it.seconds = 30.0
    assert [await it.has("two"), it.asked] == [True, 2]
    assert [await it.has("two"), await it.has("one"), it.asked] == [True, True, 2]


async def test_many_requests_with_unknown_names_are_one_fetch() -> None:
    it = Wired()
    assert await asyncio.gather(*(it.has(f"guess-{n}") for n in range(50))) == [False] * 50
    assert it.asked == 1


async def test_known_keys_stay_while_the_issuer_is_away_and_others_are_not_judged() -> None:
    it = Wired()
    assert await it.has("one")
    it.away, it.seconds = True, 30.0
    with pytest.raises(SourceAwayError):
        await it.has("two")
    with pytest.raises(SourceAwayError):
        await it.has("two")  # within thirty seconds, and not asked again
    assert [await it.has("one"), it.asked] == [True, 2]
    it.away, it.seconds = False, 60.0
    assert not await it.has("two")  # the control: now it is known to be unknown


async def test_a_key_that_the_issuer_withdrew_ends_with_the_next_fetch() -> None:
    it = Wired()
    assert await it.has("one")
    it.body, it.seconds = key_set(TWO), 30.0
    assert await it.has("two")
    assert not await it.has("one")


@pytest.mark.parametrize(
    "body", [b"", b"nope", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[]}', b'{"keys":[7]}', b"[" * 5000, b"\xff"]
)
async def test_an_answer_without_a_key_takes_no_known_key_away(body: bytes) -> None:
    it = Wired()
    assert await it.has("one")
    it.body, it.seconds = body, 30.0
    with pytest.raises(SourceAwayError):
        await it.has("two")
    assert await it.has("one")


async def test_keys_are_fetched_at_start_and_every_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Wired()
    slept: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        if seconds:
            slept.append(seconds)
            it.away, it.seconds = not it.away, it.seconds + seconds
        if len(slept) == 3:
            raise EnoughError
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(EnoughError):
        await it.keys.run()
    assert slept == [3600.0, 30.0, 3600.0]
    assert it.asked == 3


async def test_an_issuer_that_is_away_is_an_alarm_that_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    it = Wired(away=True)
    await it.keys.ask()
    assert "issuer_keys_not_fetched" in (said := capsys.readouterr().out)
    assert ISSUER in said


def test_keys_are_taken_by_name_and_algorithm() -> None:
    listed = key_set(ONE, told(curve("ec"), "ec"), told(curve("ec3", "P-384"), "ec3"))
    assert sorted(keys_in(listed, ("RS256", "PS256", "ES256"))) == [("ec", "ES256"), ("one", "PS256"), ("one", "RS256")]


@pytest.mark.parametrize(
    "odd",
    [
        told(rsa("odd"), None),
        told(rsa("odd"), ""),
        told(rsa("odd"), "k" * 256),
        told(rsa("odd"), "odd", use="enc"),
        told(rsa("odd"), "odd", alg="RS512"),
        told(rsa("odd"), "odd", key_ops=["sign"]),
        told(rsa("odd"), "odd", key_ops="verify"),
        told(rsa("odd"), "odd", n="!"),
        told(rsa("odd"), "odd", e=7),
        told(rsa("short", 1024), "odd"),
        told(OctKey.generate_key(256), "odd"),
        told(curve("odd"), "odd"),
        told(rsa("odd"), "odd", n="é" * 342),
        {"kid": "odd"},
    ],
)
def test_a_key_that_cannot_verify_is_passed_over(odd: dict[str, object]) -> None:
    assert set(keys_in(key_set(odd, TWO), ("RS256",))) == {("two", "RS256")}


def test_a_point_beside_its_curve_is_passed_over() -> None:
    beside = told(curve("ec"), "odd", y=told(curve("other"), "odd")["y"])
    assert set(keys_in(key_set(beside, told(curve("ec"), "ec")), ("ES256",))) == {("ec", "ES256")}


def test_of_two_keys_of_one_name_the_first_counts() -> None:
    found = keys_in(key_set(ONE, told(rsa("two"), "one")), ("RS256",))
    assert found["one", "RS256"].as_dict(private=False)["n"] == ONE["n"]
