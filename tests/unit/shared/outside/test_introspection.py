"""Introspection: what the source says, what it costs when it is away, and what strangers can cause."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from pydantic import SecretStr

from shared.outside.claims import NO_END, Outsider
from shared.outside.fetching import CONNECTIONS_MAX, SourceAwayError
from shared.outside.introspection import WAITING_MAX, Introspector, login
from shared.outside.trusted import Introspection

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL: Final = "https://id.example/introspect"
TRUST: Final = Introspection(
    url=URL, client_id="stint", client_secret=SecretStr("a:b c"), tenant="acme", person_claim="employee"
)
CRM: Final = Outsider("acme", f"{URL}#crm", "machine", None, NO_END)


@dataclass
class Wired:
    said: Any = field(default_factory=lambda: {"active": True, "sub": "crm"})
    failure: Exception | None = None
    asked: int = 0
    seconds: float = 0.0
    gate: asyncio.Event | None = None

    def __post_init__(self) -> None:
        self.source = Introspector(TRUST, self._ask, lambda: NOW, lambda: self.seconds)

    async def _ask(self, token: str) -> bytes:
        assert token
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return self.said if isinstance(self.said, bytes) else json.dumps(self.said).encode()


async def test_an_active_token_is_its_subject_or_its_person() -> None:
    assert await Wired().source.caller_of("t") == CRM
    until = NOW + timedelta(minutes=1)
    person = Wired({"active": True, "employee": "dana", "exp": until.timestamp(), "token_type": "Bearer"})
    assert await person.source.caller_of("t") == Outsider("acme", "person:dana", "person", "dana", until)


@pytest.mark.parametrize(
    "said",
    [
        {"active": False},
        {"active": False, "sub": "crm"},
        {"active": True, "sub": "crm", "exp": NOW.timestamp()},
        {"active": True, "sub": "crm", "token_type": "refresh_token"},
        {"active": True, "sub": "crm", "token_type": "DPoP"},
        {"active": True},
        {"active": True, "sub": "crm", "employee": 7},
    ],
)
async def test_an_answer_that_vouches_for_nobody_is_unknown(said: dict[str, Any]) -> None:
    assert await Wired(said).source.caller_of("t") is None


@pytest.mark.parametrize(
    "said", [b"", b"<html>", b"[" * 5000, [], {}, {"active": "true", "sub": "crm"}, {"active": 1, "sub": "crm"}]
)
async def test_an_answer_that_does_not_say_is_no_answer(said: object) -> None:
    with pytest.raises(SourceAwayError):
        await Wired(said).source.caller_of("t")


async def test_after_a_failure_nobody_asks_for_a_second() -> None:
    it = Wired(failure=SourceAwayError("status 503"))
    for _ in range(3):
        with pytest.raises(SourceAwayError):
            await it.source.caller_of("t")
    assert it.asked == 1
    it.failure, it.seconds = None, 1.0
    assert [await it.source.caller_of("t"), it.asked] == [CRM, 2]


async def test_strangers_keep_the_source_busy_within_bounds() -> None:
    it = Wired({"active": False}, gate=asyncio.Event())
    waiting = [asyncio.ensure_future(it.source.caller_of(f"guess-{n}")) for n in range(CONNECTIONS_MAX + WAITING_MAX)]
    await asyncio.sleep(0)
    assert it.asked == CONNECTIONS_MAX
    with pytest.raises(SourceAwayError):
        await it.source.caller_of("one more")
    assert it.gate is not None
    it.gate.set()
    assert await asyncio.gather(*waiting) == [None] * len(waiting)
    assert await it.source.caller_of("one more") is None  # the control


def test_the_secret_is_sent_as_the_rfc_wants_it_and_shown_nowhere() -> None:
    assert login(TRUST) == ("stint", "a%3Ab+c")
    assert "a:b c" not in repr(TRUST)


async def test_a_source_that_is_away_is_an_alarm_that_quotes_no_token(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceAwayError):
        await Wired(failure=SourceAwayError("status 503")).source.caller_of("s3cret-token")
    said = capsys.readouterr().out
    assert "introspection_failed" in said
    assert "s3cret-token" not in said
