"""Client secrets: strangers may guess, and honest clients still get their tokens."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import pytest

from services.command_api.auth import buckets, client_secrets
from services.command_api.auth.client_secrets import (
    DOES_NOT_FIT_SECONDS,
    FITS_SECONDS,
    GUESSES_AT_ONCE,
    HASHES_AT_ONCE,
    WAITING_MAX,
    ClientSecrets,
)
from services.command_api.desk.desk import Busy
from services.command_api.desk.rows import ReadsAwayError
from services.command_api.store.directory import ClientRow
from shared.identity import TOKEN_LIFE

HASH_SECONDS: Final = 0.05
GUESSES: Final = 200


class Wired:
    """Secrets whose hash is the secret itself with "hash of " before it, and takes as long as a real one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, hash_seconds: float = 0.0) -> None:
        self.hashed: list[str] = []
        self.seconds = 0.0
        self.clients = {name: ClientRow("acme", "machine", "hash of s3cret") for name in ("crm", "desk")}
        self.away = False

        def verify(secret: str, kept: str) -> bool:
            self.hashed.append(secret)
            time.sleep(hash_seconds)
            return kept == f"hash of {secret}"

        monkeypatch.setattr(client_secrets, "verify_secret", verify)
        directory: Any = self
        self.secrets = ClientSecrets(directory, clock=lambda: self.seconds)

    async def client(self, client_id: str) -> ClientRow | None:
        """Stand in for the directory."""
        await asyncio.sleep(0)
        if self.away:
            raise ReadsAwayError
        return self.clients.get(client_id)

    async def ask(self, client_id: str = "desk", secret: str = "s3cret") -> ClientRow | Busy | None:
        return await self.secrets.client(client_id, secret)

    async def guess(self, name: Callable[[int], str]) -> "list[asyncio.Task[ClientRow | Busy | None]]":
        """Begin many guesses at once, and return when all of them have arrived."""
        guesses = [asyncio.create_task(self.ask(name(number), f"guess {number}")) for number in range(GUESSES)]
        await asyncio.sleep(0)
        return guesses


async def test_an_honest_client_behind_200_guesses_waits_about_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client that is new here may hear 503 once. Without the bound it waited for all the guesses, 5 s."""
    it = Wired(monkeypatch, HASH_SECONDS)
    guesses = await it.guess(lambda number: f"stranger {number}")
    began = time.monotonic()
    heard = await it.ask()
    assert time.monotonic() - began < 1.0
    if isinstance(heard, Busy):
        await asyncio.sleep(heard.retry_after_seconds)
        heard = await it.ask()
    assert heard == it.clients["desk"]
    assert time.monotonic() - began < 2.0
    answers = await asyncio.gather(*guesses)
    assert answers.count(None) == HASHES_AT_ONCE + WAITING_MAX
    assert answers.count(Busy()) == GUESSES - HASHES_AT_ONCE - WAITING_MAX


async def test_guesses_at_one_id_keep_no_other_client_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Wired(monkeypatch, HASH_SECONDS)
    guesses = await it.guess(lambda _: "crm")
    began = time.monotonic()
    assert await it.ask("desk") == it.clients["desk"]  # at the first try
    assert time.monotonic() - began < 1.0
    assert (await asyncio.gather(*guesses)).count(Busy()) == GUESSES - GUESSES_AT_ONCE
    assert len(it.hashed) == GUESSES_AT_ONCE + 1


@pytest.mark.parametrize("guessed", ["desk", "nobody"])
async def test_a_bucket_fills_again_by_a_guess_a_second(monkeypatch: pytest.MonkeyPatch, guessed: str) -> None:
    """An id that does not exist has a bucket like any other, so a 503 does not tell whether an id exists."""
    it = Wired(monkeypatch)
    for number in range(GUESSES_AT_ONCE):
        assert await it.ask(guessed, f"guess {number}") is None
    assert await it.ask(guessed, "one more") == Busy()
    it.seconds += 1.0
    assert await it.ask(guessed, "one more") is None
    assert await it.ask(guessed, "yet another") == Busy()


async def test_a_client_renews_its_token_without_a_hash_despite_guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Wired(monkeypatch, HASH_SECONDS)
    assert await it.ask() == it.clients["desk"]
    it.seconds += TOKEN_LIFE.total_seconds()
    guesses = [*await it.guess(lambda _: "desk"), *await it.guess(lambda number: f"stranger {number}")]
    hashed = len(it.hashed)
    assert await it.ask() == it.clients["desk"]
    assert len(it.hashed) <= hashed + HASHES_AT_ONCE  # the guesses' own
    assert "s3cret" not in it.hashed[1:]
    await asyncio.gather(*guesses)


async def test_a_secret_is_hashed_again_once_it_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Wired(monkeypatch)
    for secret, seconds in (("s3cret", FITS_SECONDS), ("wrong", DOES_NOT_FIT_SECONDS)):
        it.hashed.clear()
        first = await it.ask(secret=secret)
        it.seconds += seconds - 1
        assert await it.ask(secret=secret) == first
        assert it.hashed == [secret]
        it.seconds += 2
        assert await it.ask(secret=secret) == first
        assert it.hashed == [secret, secret]


async def test_a_rotated_or_revoked_secret_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The new secret of a rotated client works."""
    it = Wired(monkeypatch)
    assert await it.ask(secret="s3cret") is not None
    assert await it.ask(secret="n3xt") is None
    it.clients["desk"] = ClientRow("acme", "machine", "hash of n3xt")
    assert await it.ask(secret="s3cret") is None
    assert await it.ask(secret="n3xt") == it.clients["desk"]
    del it.clients["desk"]
    assert await it.ask(secret="n3xt") is None


async def test_the_old_secret_of_a_rotated_client_works_for_as_long_as_it_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = Wired(monkeypatch)
    assert await it.ask(secret="s3cret") is not None
    it.clients["desk"] = ClientRow("acme", "machine", "hash of n3xt", "hash of s3cret")
    assert await it.ask(secret="s3cret") == await it.ask(secret="n3xt") == it.clients["desk"]
    it.clients["desk"] = ClientRow("acme", "machine", "hash of n3xt")
    assert await it.ask(secret="s3cret") is None


async def test_fifty_workers_of_one_client_are_one_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Wired(monkeypatch, HASH_SECONDS)
    assert await asyncio.gather(*(it.ask() for _ in range(50))) == [it.clients["desk"]] * 50
    assert it.hashed == ["s3cret"]


async def test_a_caller_that_leaves_takes_no_answer_from_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Wired(monkeypatch, HASH_SECONDS)
    first, second = (asyncio.create_task(it.ask()) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    assert await second == it.clients["desk"]
    assert it.secrets._admitted == 0


async def test_with_postgres_away_nothing_is_hashed_or_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Wired(monkeypatch)
    it.away = True
    with pytest.raises(ReadsAwayError):
        await it.ask()
    assert it.hashed == []
    it.away = False
    assert await it.ask() == it.clients["desk"]
    assert it.secrets._admitted == 0


async def test_guesses_push_no_honest_client_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_secrets, "REMEMBERED_MAX", 5)
    monkeypatch.setattr(buckets, "BUCKETS_MAX", 5)
    it = Wired(monkeypatch)
    assert await it.ask() == it.clients["desk"]
    for number in range(20):
        assert await it.ask(f"stranger {number}", "guess") is None
    assert (len(it.secrets._unfit), len(it.secrets._buckets._left)) == (5, 5)
    assert await it.ask() == it.clients["desk"]
    assert it.hashed.count("s3cret") == 1


async def test_two_pairs_that_read_alike_are_two_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    it = Wired(monkeypatch)
    assert await it.ask("desk", "s3cret") == it.clients["desk"]
    assert await it.ask("desks", "3cret") is None
