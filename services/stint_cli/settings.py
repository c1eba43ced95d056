"""Settings of the operator's commands. Each command reads only what it needs: a migration needs no key."""

from pydantic import PositiveInt, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import KafkaSettings, PostgresSettings


class DatabaseSettings(PostgresSettings):
    """The address of Postgres."""

    model_config = SettingsConfigDict(env_prefix="STINT_CLI_", frozen=True)


class LogSettings(KafkaSettings):
    """The address of Kafka alone, for commands that need no table."""

    model_config = SettingsConfigDict(env_prefix="STINT_CLI_", frozen=True)


class DeploymentSettings(KafkaSettings, DatabaseSettings):  # pydantic takes the last one's prefix
    """The address of Kafka as well, and the number of replicas of a topic."""

    # Replicas of each topic. None: as many as there are brokers, three at most, so that a cluster never gets one by
    # mistake.
    replication_factor: PositiveInt | None = None


class DemoSettings(DeploymentSettings):
    """What the demo tenant's credentials need: the API's key and its address."""

    # The key with which the command API verifies tokens: its `COMMAND_API_TOKEN_KEY`.
    token_key: SecretStr
    # The URL of the command API, to be written into the credentials file.
    http_url: str
