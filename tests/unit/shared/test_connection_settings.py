"""Settings of Kafka and Postgres: plaintext unless they say otherwise, and half a setting is refused."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from services.stint_cli.settings import DeploymentSettings
from shared.settings import KafkaSettings, PostgresSettings
from tests.support.stack.certificates import Authority, Certificate

BROKERS = "kafka.example:9092"
DSN = SecretStr("postgresql://stint:secret@postgres.example/stint")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def ours(authority: Authority) -> Certificate:
    return authority.vouches_for("ours")


def kafka(**said: Any) -> KafkaSettings:  # noqa: ANN401 - a test gives a setting any value
    return KafkaSettings(kafka_bootstrap_servers=BROKERS, **said)


def complaints(error: ValidationError) -> list[tuple[object, str]]:
    return [(problem["loc"][0], problem["msg"]) for problem in error.errors()]


def test_the_default_is_plaintext_without_a_login() -> None:
    options = kafka().kafka.options()
    assert options["bootstrap_servers"] == BROKERS
    assert not {"security_protocol", "ssl_context", "sasl_mechanism"} & options.keys()
    assert PostgresSettings(postgres_dsn=DSN).postgres_tls is None


def test_a_password_ends_before_the_line_does(authority: Authority, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text(" spaces are its own \r\n")
    settings = kafka(
        kafka_security_protocol="SASL_SSL", kafka_ca_file=authority.ca, kafka_user="stint", kafka_password_file=password
    )
    options = settings.kafka.options()
    assert options["sasl_plain_password"] == " spaces are its own "
    assert (options["security_protocol"], options["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert "spaces" not in repr(settings.kafka)


def test_a_user_without_sasl_is_a_mistake() -> None:
    with pytest.raises(ValidationError) as caught:
        kafka(kafka_security_protocol="SSL", kafka_user="stint")
    [(setting, said)] = complaints(caught.value)
    assert setting == "kafka_user"
    assert said.endswith("is SSL, which has no users: set SASL_SSL")


def test_sasl_without_a_user_is_a_mistake() -> None:
    with pytest.raises(ValidationError) as caught:
        kafka(kafka_security_protocol="SASL_SSL")
    assert [setting for setting, _ in complaints(caught.value)] == ["kafka_user", "kafka_password_file"]


def test_a_ca_file_without_a_tls_protocol_is_refused(authority: Authority) -> None:
    """The protocol was forgotten, and everything would be sent in the clear."""
    with pytest.raises(ValidationError, match="PLAINTEXT, which has no certificates"):
        kafka(kafka_ca_file=authority.ca)


@pytest.mark.parametrize("text", ["", "not a certificate\n"])
def test_an_invalid_ca_file_is_named_at_start(text: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.crt"
    path.write_text(text)
    with pytest.raises(ValidationError, match="kafka_ca_file"):
        kafka(kafka_security_protocol="SSL", kafka_ca_file=path)
    with pytest.raises(ValidationError, match="postgres_ca_file"):
        PostgresSettings(postgres_dsn=DSN, postgres_ca_file=path)


def test_a_certificate_and_its_key_come_together(authority: Authority, ours: Certificate) -> None:
    tls: dict[str, Any] = {"kafka_security_protocol": "SSL", "kafka_ca_file": authority.ca}
    both = tls | {"kafka_certificate_file": ours.certificate, "kafka_key_file": ours.key}
    assert kafka(**both).kafka.tls is not None
    with pytest.raises(ValidationError, match="belong together"):
        kafka(**tls, kafka_certificate_file=ours.certificate)
    with pytest.raises(ValidationError, match="not the key of the certificate"):
        kafka(**both | {"kafka_key_file": authority.vouches_for("another").key})


def test_a_certificate_for_postgres_needs_a_ca_file(ours: Certificate) -> None:
    with pytest.raises(ValidationError, match="POSTGRES_CA_FILE is not given"):
        PostgresSettings(postgres_dsn=DSN, postgres_certificate_file=ours.certificate, postgres_key_file=ours.key)


def test_the_command_line_reads_the_same_settings_under_its_own_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STINT_CLI_POSTGRES_DSN", DSN.get_secret_value())
    monkeypatch.setenv("STINT_CLI_KAFKA_BOOTSTRAP_SERVERS", BROKERS)
    settings = DeploymentSettings()
    assert (settings.postgres_dsn, settings.kafka.bootstrap_servers) == (DSN, BROKERS)
