"""Settings of the operator's commands. Each command asks for what it needs and no more: a migration needs no key."""

from pydantic import PositiveInt, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import KafkaSettings, PostgresSettings


class DatabaseSettings(PostgresSettings):
    """Where Postgres is."""

    model_config = SettingsConfigDict(env_prefix="STINT_CLI_", frozen=True)


class DeploymentSettings(KafkaSettings, DatabaseSettings):  # pydantic takes the last one's prefix
    """Where Kafka is as well, and on how many brokers a topic lies."""

    # None: as many as there are brokers, three at most. One by default would be forgotten where it matters.
    replication_factor: PositiveInt | None = None


class DemoSettings(DeploymentSettings):
    """What the demo tenant's credentials are made of: the key that the API verifies with, and its address."""

    # The key that the command API verifies with.
    token_key: SecretStr
    # Where the command API answers: it is written into the credentials.
    http_url: str
