"""Settings of the operator's commands. Each command reads only what it needs: a migration needs no key."""

from pydantic import PositiveInt, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import KafkaSettings, PostgresSettings, ProcessSettings


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


class DoctorSettings(DeploymentSettings):
    """The groups of the projectors and of the APIs as well, and a feed."""

    # The group in which the projectors share the partitions: their `PROJECTOR_GROUP_ID`.
    group_id: str = "stint.projector"
    # The group in which the APIs share the commands of other services: their `COMMAND_API_COMMANDS_GROUP_ID`.
    commands_group_id: str = "stint.commands"
    # The URL of a feed's own process, past any gateway. `doctor` asks its `/readyz` and `/metrics`, if it is set.
    feed_url: str | None = None


class ApiAddress(ProcessSettings):
    """Where the command API answers, if the operator says so. The same setting as that of the demo."""

    model_config = SettingsConfigDict(env_prefix="STINT_CLI_", frozen=True)

    http_url: str | None = None


class DemoSettings(DeploymentSettings):
    """What the demo tenant's credentials need: the API's key and its address."""

    # The key with which the command API verifies tokens: its `COMMAND_API_TOKEN_KEY`.
    token_key: SecretStr
    # The URL of the command API. Required for `demo` alone, which writes it into the credentials file. `doctor` asks
    # its `/readyz`, if it is set.
    http_url: str
