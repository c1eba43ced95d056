"""Settings that every process of ours reads: where Kafka and Postgres are, and how they are reached safely.

Mixins: a program's own `Settings` inherits them under its own prefix. A wrong setting fails at start, by name; its
value is not shown.
"""

import ssl
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, FilePath, SecretStr, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from shared.kafka.clients import KafkaAddress, Login, Mechanism
from shared.tls import client_context

# Validated also when it is not given, because another setting may need it.
_EVEN_UNSET: Final = Field(validate_default=True)


class ProcessSettings(BaseSettings):
    """Settings of one process: from the environment, else from a file in /run/secrets.

    The file has the variable's name in small letters, as in `command_api_token_key`. The folder need not exist.
    """

    model_config = SettingsConfigDict(frozen=True, secrets_dir="/run/secrets")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - what each source was made with already
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no setting comes from a file in the working folder
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, in order of precedence. A machine without secret files is normal."""
        files = NestedSecretsSettingsSource(file_secret_settings, secrets_dir_missing="ok")
        return init_settings, env_settings, files


class KafkaSettings(ProcessSettings):
    """Where the brokers are, and how they are reached."""

    # host:port, separated by commas: from any of them the others are found.
    kafka_bootstrap_servers: str
    # PLAINTEXT is for a network that is nobody else's. No SASL without TLS: who listens could go on as us.
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = "PLAINTEXT"
    # PEM: the authorities that a broker's certificate is believed from, and no others. None: those of the machine.
    kafka_ca_file: FilePath | None = None
    # PEM: our own certificate, for brokers that ask for one.
    kafka_certificate_file: FilePath | None = None
    # PEM: its key, without a passphrase.
    kafka_key_file: Annotated[FilePath | None, _EVEN_UNSET] = None
    # How SASL_SSL proves who we are.
    kafka_mechanism: Mechanism = "SCRAM-SHA-512"
    # With SASL_SSL, and with nothing else.
    kafka_user: Annotated[str | None, _EVEN_UNSET] = None
    # A file, for its mode says who may read it. A line end after the password is no part of it.
    kafka_password_file: Annotated[FilePath | None, _EVEN_UNSET] = None

    @property
    def kafka(self) -> KafkaAddress:
        """The brokers' address, with the files read."""
        files = (self.kafka_ca_file, self.kafka_certificate_file, self.kafka_key_file)
        return KafkaAddress(
            bootstrap_servers=self.kafka_bootstrap_servers,
            tls=None if self.kafka_security_protocol == "PLAINTEXT" else client_context(*files),
            login=self._login(),
        )

    def _login(self) -> Login | None:
        if self.kafka_user is None or self.kafka_password_file is None:
            return None
        password = SecretStr(self.kafka_password_file.read_text().rstrip("\r\n"))
        return Login(mechanism=self.kafka_mechanism, user=self.kafka_user, password=password)

    @field_validator("kafka_ca_file", "kafka_certificate_file", "kafka_key_file")
    @classmethod
    def _tls_alone_has_certificates(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        # Certificates show that the operator meant TLS. With the protocol forgotten, all would go in the clear.
        if path is not None and info.data.get("kafka_security_protocol") == "PLAINTEXT":
            raise ValueError("KAFKA_SECURITY_PROTOCOL is PLAINTEXT, which has no certificates: say SSL or SASL_SSL")
        return path

    @field_validator("kafka_ca_file")
    @classmethod
    def _authorities(cls, path: Path | None) -> Path | None:
        return _authorities(path)

    @field_validator("kafka_key_file")
    @classmethod
    def _key_of_the_certificate(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return _key_of(info.data.get("kafka_certificate_file"), path)

    @field_validator("kafka_user", "kafka_password_file")
    @classmethod
    def _sasl_alone_has_a_user(cls, value: object, info: ValidationInfo) -> object:
        protocol = info.data.get("kafka_security_protocol")
        if value is None and protocol == "SASL_SSL":
            raise ValueError("KAFKA_SECURITY_PROTOCOL is SASL_SSL, which needs it")
        if value is not None and protocol in {"PLAINTEXT", "SSL"}:
            raise ValueError(f"KAFKA_SECURITY_PROTOCOL is {protocol}, which knows no users: say SASL_SSL")
        return value


class PostgresSettings(ProcessSettings):
    """Where Postgres is."""

    # postgresql://user:password@host:port/database, also with `?sslmode=verify-full&sslrootcert=/a/file`.
    postgres_dsn: SecretStr
    # PEM: with it TLS is demanded, and the server believed from these authorities alone, whatever the DSN says.
    postgres_ca_file: FilePath | None = None
    # PEM: our own certificate, for a server that asks for one.
    postgres_certificate_file: FilePath | None = None
    # PEM: its key, without a passphrase.
    postgres_key_file: Annotated[FilePath | None, _EVEN_UNSET] = None

    @property
    def postgres_tls(self) -> ssl.SSLContext | None:
        """What asyncpg takes as `ssl`. None: as the DSN says, and without a word there TLS if the server offers it."""
        if self.postgres_ca_file is None:
            return None
        return client_context(self.postgres_ca_file, self.postgres_certificate_file, self.postgres_key_file)

    @field_validator("postgres_ca_file")
    @classmethod
    def _authorities(cls, path: Path | None) -> Path | None:
        return _authorities(path)

    @field_validator("postgres_certificate_file", "postgres_key_file")
    @classmethod
    def _with_a_ca_alone(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        if path is not None and info.data.get("postgres_ca_file", path) is None:
            raise ValueError("POSTGRES_CA_FILE is not given, and TLS not demanded without it")
        return path

    @field_validator("postgres_key_file")
    @classmethod
    def _key_of_the_certificate(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return _key_of(info.data.get("postgres_certificate_file"), path)


def _authorities(path: Path | None) -> Path | None:
    if path is not None:
        try:
            client_context(path)
        except OSError as error:
            raise ValueError(f"it holds no certificates that can be read: {error.strerror or error}") from error
    return path


def _key_of(certificate: Path | None, key: Path | None) -> Path | None:
    if (certificate is None) != (key is None):
        raise ValueError("a certificate and its key belong together: give both or neither")
    if certificate is not None:
        try:
            client_context(None, certificate, key)
        except OSError as error:
            raise ValueError(f"it is not the key of the certificate: {error.strerror or error}") from error
    return key
