"""Settings that every process of ours reads: where Kafka and Postgres are, and how safely they are spoken to.

Mixins: a program's own `Settings` inherits them under its own prefix. Wrong ones fail at start, by name; their values
are never shown.
"""

import ssl
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, FilePath, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings

from shared.kafka import KafkaAddress, Login
from shared.tls import client_context

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-256", "SCRAM-SHA-512"]


class KafkaSettings(BaseSettings):
    """Where the brokers are, and how they want to be spoken to."""

    kafka_bootstrap_servers: str

    # PLAINTEXT is for a network that is nobody else's. There is no SASL without TLS: who listens could go on as us.
    kafka_security_protocol: SecurityProtocol = "PLAINTEXT"
    # PEM: the only authorities that a broker's certificate is believed from. None: those of the machine.
    kafka_ca_file: Annotated[FilePath | None, Field(validate_default=True)] = None
    # PEM: our own certificate and its key, for brokers that ask for one.
    kafka_certificate_file: Annotated[FilePath | None, Field(validate_default=True)] = None
    kafka_key_file: Annotated[FilePath | None, Field(validate_default=True)] = None
    kafka_mechanism: Mechanism = "SCRAM-SHA-512"
    kafka_user: Annotated[str | None, Field(min_length=1, validate_default=True)] = None
    # A file, for its mode says who may read it. A line end after the password is none of it.
    kafka_password_file: Annotated[FilePath | None, Field(validate_default=True)] = None

    @property
    def kafka(self) -> KafkaAddress:
        """The brokers' address, with files read."""
        protocol = self.kafka_security_protocol
        return KafkaAddress(
            bootstrap_servers=self.kafka_bootstrap_servers,
            tls=None
            if protocol == "PLAINTEXT"
            else client_context(self.kafka_ca_file, self.kafka_certificate_file, self.kafka_key_file),
            login=self._login,
        )

    @property
    def _login(self) -> Login | None:
        if self.kafka_user is None or self.kafka_password_file is None:
            return None
        return Login(
            mechanism=self.kafka_mechanism,
            user=self.kafka_user,
            password=SecretStr(_password(self.kafka_password_file)),
        )

    @field_validator("kafka_ca_file", "kafka_certificate_file", "kafka_key_file")
    @classmethod
    def _is_for_tls(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        # A forgotten protocol would send in the clear what somebody meant to protect.
        if path is not None and info.data.get("kafka_security_protocol") == "PLAINTEXT":
            raise ValueError("KAFKA_SECURITY_PROTOCOL is PLAINTEXT, which has no certificates: say SSL or SASL_SSL")
        return path

    @field_validator("kafka_ca_file")
    @classmethod
    def _is_an_authority(cls, path: Path | None) -> Path | None:
        return _authority(path)

    @field_validator("kafka_key_file")
    @classmethod
    def _belongs_to_the_certificate(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return _key_of(info.data.get("kafka_certificate_file"), path)

    @field_validator("kafka_user", "kafka_password_file")
    @classmethod
