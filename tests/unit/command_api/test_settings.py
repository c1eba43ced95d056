"""Limits of the command API that depend on each other. What contradicts another setting ends the process at start."""

import pytest
from pydantic import SecretStr, ValidationError

from services.command_api.settings import Settings


def settings(**said: float | str) -> Settings:
    return Settings.model_validate(
        {
            "kafka_bootstrap_servers": "kafka.example:9092",
            "postgres_dsn": SecretStr("postgresql://postgres.example/stint"),
            "token_key": SecretStr("k" * 32),
            **said,
        }
    )


def complaint(**said: float | str) -> tuple[object, str]:
    with pytest.raises(ValidationError) as caught:
        settings(**said)
    [problem] = caught.value.errors()
    return problem["loc"][0], problem["msg"].removeprefix("Value error, ")


def test_the_defaults_agree_with_each_other() -> None:
    assert settings().expiry_seconds == 30


def test_a_press_expires_after_its_latest_ack_by_the_worst_clock() -> None:
    """Acknowledged after 5 s, by a clock that is 10 s ahead: 15 s must not be too late."""
    limit = "PUBLISH_WITHIN_SECONDS plus CLOCK_OFF_SECONDS_MAX, 15"
    assert complaint(expiry_seconds=15) == ("expiry_seconds", f"15 is not above {limit}")
    assert settings(expiry_seconds=15.1).expiry_seconds == 15.1


def test_a_longer_wait_for_acks_is_compared_with_the_defaults_too() -> None:
    limit = "PUBLISH_WITHIN_SECONDS plus CLOCK_OFF_SECONDS_MAX, 30"
    assert complaint(publish_within_seconds=20, grace_seconds=20) == ("expiry_seconds", f"30 is not above {limit}")
    assert complaint(publish_within_seconds=11) == ("grace_seconds", "10 is below PUBLISH_WITHIN_SECONDS, 11")


def test_an_orderly_end_waits_for_an_ack_as_long_as_callers_do() -> None:
    assert complaint(grace_seconds=4) == ("grace_seconds", "4 is below PUBLISH_WITHIN_SECONDS, 5")
    assert settings(grace_seconds=5).grace_seconds == 5


def test_a_caller_waits_by_default_no_longer_than_one_may_ask_for() -> None:
    """A gateway that waits 40 s for an answer hears each of them."""
    assert complaint(answer_within_seconds=31) == ("answer_within_seconds", "Input should be less than or equal to 30")
    assert settings(answer_within_seconds=30).answer_within_seconds == 30


def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings().cors_origins == ()
    monkeypatch.setenv(
        "COMMAND_API_CORS_ORIGINS", "https://app.example.com, http://localhost:5173,capacitor://localhost,"
    )
    assert settings().cors_origins == ("https://app.example.com", "http://localhost:5173", "capacitor://localhost")


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "https://App.example.com",
        "https://app.example.com/",
        "https://app.example.com:443",
        "app.example.com",
    ],
)
def test_an_origin_that_no_browser_sends_ends_the_start(origin: str) -> None:
    """It would let nobody in, and its operator would look for the reason in the page."""
    name, said = complaint(cors_origins=f"http://localhost,{origin}")
    assert name == "cors_origins"
    assert said.startswith("number 2 is no origin: write it as https://app.example.com, ")
