"""Limits of the projector that depend on each other. What contradicts another setting ends the process at start."""

import pytest
from pydantic import SecretStr, ValidationError

from services.projector.settings import Settings


def settings(**said: int) -> Settings:
    dsn = SecretStr("postgresql://postgres.example/stint")
    return Settings.model_validate({"kafka_bootstrap_servers": "kafka.example:9092", "postgres_dsn": dsn, **said})


def complaints(**said: int) -> dict[object, str]:
    with pytest.raises(ValidationError) as caught:
        settings(**said)
    return {problem["loc"][0]: problem["msg"].removeprefix("Value error, ") for problem in caught.value.errors()}


def test_the_defaults_agree_with_each_other() -> None:
    assert settings().transaction_timeout_ms == 10_000


def test_timeouts_inside_a_transaction_are_no_longer_than_it() -> None:
    """Postgres would end the transaction first, and the longer one would have no effect."""
    assert complaints(transaction_timeout_ms=4000) == {
        "idle_in_transaction_timeout_ms": "5000 is above TRANSACTION_TIMEOUT_MS, 4000",
        "lock_timeout_ms": "5000 is above TRANSACTION_TIMEOUT_MS, 4000",
    }
    equal = settings(transaction_timeout_ms=5000, lock_timeout_ms=5000, idle_in_transaction_timeout_ms=5000)
    assert equal.lock_timeout_ms == 5000


def test_the_server_gives_a_transaction_up_before_the_projector_does() -> None:
    """A timeout of our own leaves open whether the commit happened."""
    limit = "not above TRANSACTION_TIMEOUT_MS"
    assert complaints(transaction_timeout_ms=15_000) == {"postgres_within_seconds": f"15 s is {limit}, 15000"}
    assert complaints(postgres_within_seconds=10) == {"postgres_within_seconds": f"10 s is {limit}, 10000"}
    assert settings(postgres_within_seconds=11).postgres_within_seconds == 11
