"""Limits of the command API that depend on each other. What contradicts another setting ends the process at start."""

import json
from typing import Any, Final

import pytest
from pydantic import SecretStr, ValidationError

from services.command_api.settings import Settings

ISSUER: Final = {"issuer": "https://id.example", "jwks_url": "https://id.example/keys", "audience": "stint"}
ACME: Final = ISSUER | {"tenant": "acme"}
SOURCE: Final = {
    "url": "https://id.example/ask",
    "client_id": "stint",
    "client_secret": "s3cret",
    "tenant": "acme",
    "person_claim": "employee",
}


def settings(**said: object) -> Settings:
    return Settings.model_validate(
        {
            "kafka_bootstrap_servers": "kafka.example:9092",
            "postgres_dsn": SecretStr("postgresql://postgres.example/stint"),
            "token_key": SecretStr("k" * 32),
            **said,
        }
    )


def complaint(**said: object) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        settings(**said)
    [problem] = caught.value.errors()
    return ".".join(map(str, problem["loc"])), problem["msg"].removeprefix("Value error, ")


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


def test_no_lock_of_dialect_b_is_shorter_than_the_minute_that_it_counts() -> None:
    """After a shorter one the old requests still counted, and the first request began the next lock."""
    fault = "Input should be greater than or equal to 60"
    assert complaint(zoho_threshold_lock_seconds=59) == ("zoho_threshold_lock_seconds", fault)
    assert settings(zoho_threshold_lock_seconds=60).zoho_threshold_lock_seconds == 60


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


def test_issuers_and_a_source_are_read_from_json() -> None:
    said = settings(issuers=json.dumps([ACME]), introspection=json.dumps(SOURCE))
    assert [(one.issuer, one.tenant, one.algorithms) for one in said.issuers] == [
        ("https://id.example", "acme", ("RS256",))
    ]
    assert said.introspection is not None
    assert said.introspection.client_secret.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(said)
    assert (settings().issuers, settings().introspection) == ((), None)


ONE_TENANT: Final = "give tenant or tenant_claim, and not both"
ONE_PLACE: Final = "give jwks_url or jwks_file, and not both"
HTTPS: Final = "must begin with https:// (http:// is for this machine alone)"
ADDRESS: Final = "is no address such as https://id.example/keys, without a user in it"


@pytest.mark.parametrize(
    ("issuer", "place", "says"),
    [
        (ISSUER, "", ONE_TENANT),
        (ACME | {"tenant_claim": "org"}, "", ONE_TENANT),
        (ACME | {"jwks_file": __file__}, "", ONE_PLACE),
        (ACME | {"jwks_url": None}, "", ONE_PLACE),
        (ACME | {"jwks_url": "http://id.example/keys"}, ".jwks_url", HTTPS),
        (ACME | {"jwks_url": "ftp://127.0.0.1/keys"}, ".jwks_url", HTTPS),
        (ACME | {"jwks_url": "https://me:pw@id.example/keys"}, ".jwks_url", ADDRESS),
        (ACME | {"jwks_url": "id.example"}, ".jwks_url", ADDRESS),
        (ACME | {"jwks_url": "https://id.example:70000/keys"}, ".jwks_url", "Port out of range 0-65535"),
        (ACME | {"jwks_url": "https://id.example:k/"}, ".jwks_url", "Port could not be cast to integer value as 'k'"),
        (ACME | {"jwks_url": None, "jwks_file": "/no/such/file"}, ".jwks_file", "Path does not point to a file"),
        (ACME | {"algorithms": []}, "", "algorithms names none"),
        (ACME | {"role": "person"}, "", "role person needs person_claim, which says whose token it is"),
        (ACME | {"roles": "admin"}, ".roles", "Extra inputs are not permitted"),
    ],
)
def test_an_issuer_that_cannot_be_trusted_is_named_by_its_field(issuer: dict[str, Any], place: str, says: str) -> None:
    assert complaint(issuers=json.dumps([ACME | {"issuer": "other"}, issuer])) == (f"issuers.1{place}", says)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512", "EdDSA", ""])
def test_an_algorithm_that_everybody_could_sign_with_is_refused(algorithm: str) -> None:
    place, says = complaint(issuers=json.dumps([ACME | {"algorithms": [algorithm]}]))
    assert place == "issuers.0.algorithms.0"
    assert "HS" not in says
    assert settings(issuers=json.dumps([ACME | {"algorithms": ["ES256"]}])).issuers  # the control


@pytest.mark.parametrize("role", ["system", "root"])
def test_no_issuer_gives_a_role_that_is_not_for_callers(role: str) -> None:
    assert complaint(issuers=json.dumps([ACME | {"role": role}]))[0] == "issuers.0.role"


def test_http_is_for_loopback() -> None:
    for host in ("127.0.0.1:8080", "[::1]:8080", "localhost"):
        assert settings(issuers=json.dumps([ACME | {"jwks_url": f"http://{host}/keys"}])).issuers


def test_one_name_is_one_issuer() -> None:
    assert complaint(issuers=json.dumps([ACME, ACME | {"tenant": "other"}])) == ("issuers", "an issuer is named twice")


def test_text_that_is_no_json_is_named_and_not_shown() -> None:
    says = "is not JSON: Expecting value, at character 18"
    assert complaint(introspection='{"client_secret": s3cret}') == ("introspection", says)
