"""Settings that every process reads: the addresses of Kafka and Postgres, with TLS and logins.

Mixins: a program's own `Settings` inherits them under its own prefix. A wrong setting fails at start, by name; its
value is not shown.
"""

import ssl
import sys
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field, FilePath, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from shared.addresses import checked_brokers, checked_postgres
from shared.kafka.clients import KafkaAddress, Login, Mechanism
from shared.tls import client_context

# For a setting that is compared with another one: validated also when it keeps its default.
COMPARED: Final = Field(validate_default=True)

_Settings = TypeVar("_Settings", bound=BaseSettings)


def read_settings(kind: type[_Settings]) -> _Settings:
    """Read settings from the environment, or end with status 2. A wrong one is named; its value is not shown."""
    try:
        return kind()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False, include_context=False):
            name = kind.model_config.get("env_prefix", "") + "_".join(map(str, problem["loc"]))
            sys.stderr.write(f"{name.upper()}: {problem['msg']}\n")
        sys.exit(2)


class ProcessSettings(BaseSettings):
    """Settings of one process: from the environment, else from a file in /run/secrets.

    The file has the variable's name in small letters, as in `command_api_token_key`. The folder may be missing.
    """

    model_config = SettingsConfigDict(frozen=True, secrets_dir="/run/secrets")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - what each source was made with already
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - a .env file in the working folder is ignored
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, the one that wins first. Missing secret files cause no warning."""
        files = NestedSecretsSettingsSource(file_secret_settings, secrets_dir_missing="ok")
        return init_settings, env_settings, files


class KafkaSettings(ProcessSettings):
    """The brokers' address, and how clients connect to them."""

    # host:port, separated by commas; without a port it is 9092. One is enough to find the others.
    kafka_bootstrap_servers: str
    # PLAINTEXT is for a network that carries only Stint's traffic. SASL needs TLS: an eavesdropper could use the login.
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = "PLAINTEXT"
    # PEM: the only authorities trusted to sign a broker's certificate. None: those of the machine.
    kafka_ca_file: FilePath | None = None
    # PEM: the client certificate, for brokers that ask for one.
    kafka_certificate_file: FilePath | None = None
    # PEM: its key, without a passphrase.
    kafka_key_file: Annotated[FilePath | None, COMPARED] = None
    # The SASL mechanism of SASL_SSL.
    kafka_mechanism: Mechanism = "SCRAM-SHA-512"
    # Required with SASL_SSL, refused without it.
    kafka_user: Annotated[str | None, COMPARED] = None
    # The password's file, with a mode that lets only Stint read it. A line end after the password is ignored.
    kafka_password_file: Annotated[FilePath | None, COMPARED] = None

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

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _readable_brokers(cls, servers: str) -> str:
        return checked_brokers(servers)

    @field_validator("kafka_ca_file", "kafka_certificate_file", "kafka_key_file")
    @classmethod
    def _tls_alone_has_certificates(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        # With a forgotten protocol, traffic that the operator meant to protect would go in the clear.
        if path is not None and info.data.get("kafka_security_protocol") == "PLAINTEXT":
            raise ValueError("KAFKA_SECURITY_PROTOCOL is PLAINTEXT, which has no certificates: set SSL or SASL_SSL")
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
            raise ValueError("KAFKA_SECURITY_PROTOCOL is SASL_SSL, which needs this setting")
        if value is not None and protocol in {"PLAINTEXT", "SSL"}:
            raise ValueError(f"KAFKA_SECURITY_PROTOCOL is {protocol}, which has no users: set SASL_SSL")
        return value


class PostgresSettings(ProcessSettings):
    """The address of Postgres, and its TLS files."""

    # postgresql://user:password@host:port/database, also with `?sslmode=verify-full&sslrootcert=/a/file`.
    # Percent-encode / ? # [ @ in the password.
    postgres_dsn: SecretStr
    # PEM: the only authorities trusted to sign the server's certificate. If set, TLS is required whatever the DSN says.
    postgres_ca_file: FilePath | None = None
    # PEM: the client certificate, for a server that asks for one.
    postgres_certificate_file: FilePath | None = None
    # PEM: its key, without a passphrase.
    postgres_key_file: Annotated[FilePath | None, COMPARED] = None

    @property
    def postgres_tls(self) -> ssl.SSLContext | None:
        """The `ssl` argument for asyncpg. None: as the DSN says; if it says nothing, TLS when the server offers it."""
        if self.postgres_ca_file is None:
            return None
        return client_context(self.postgres_ca_file, self.postgres_certificate_file, self.postgres_key_file)

    @field_validator("postgres_ca_file")
    @classmethod
    def _authorities(cls, path: Path | None) -> Path | None:
        return _authorities(path)

    @field_validator("postgres_dsn")
    @classmethod
    def _readable_postgres(cls, dsn: SecretStr) -> SecretStr:
        checked_postgres(dsn.get_secret_value())
        return dsn

    @field_validator("postgres_certificate_file", "postgres_key_file")
    @classmethod
    def _with_a_ca_alone(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        if path is not None and info.data.get("postgres_ca_file", path) is None:
            raise ValueError("POSTGRES_CA_FILE is not given, and without it TLS is not required")
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
            raise ValueError(f"the file has no certificates that can be read: {error.strerror or error}") from error
    return path


def _key_of(certificate: Path | None, key: Path | None) -> Path | None:
    if (certificate is None) != (key is None):
        raise ValueError("a certificate and its key belong together: give both or neither")
    if certificate is not None:
        try:
            client_context(None, certificate, key)
        except OSError as error:
            raise ValueError(f"the file is not the key of the certificate: {error.strerror or error}") from error
    return key
