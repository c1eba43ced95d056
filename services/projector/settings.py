"""Settings of the projector, read once, in `app`, from PROJECTOR_… variables.

Addresses and secrets have no default: a forgotten one fails at start, by name.
"""

from typing import Annotated

from pydantic import Field, PositiveInt
from pydantic_settings import SettingsConfigDict

from shared.settings import KafkaSettings, PostgresSettings


class Settings(KafkaSettings, PostgresSettings):
    """Read once, in `app`. Everywhere else receives values, never this object."""

    model_config = SettingsConfigDict(env_prefix="PROJECTOR_", frozen=True)

    # Where its health is asked for. A container says 0.0.0.0.
    http_host: str = "127.0.0.1"
    # 0: any that is free.
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8081

    # Projectors of one group share the partitions. Another group with another database folds all of them once more.
    group_id: str = "stint.projector"
    # The same for texts.
    texts_group_id: str = "stint.texts"
    # A killed projector's partitions move after so long.
    session_timeout_ms: PositiveInt = 10_000

    # A frozen projector may hold the checkpoint's row for so long, and no take-over waits longer.
    transaction_timeout_ms: PositiveInt = 10_000
    # The same for one that froze between two statements.
    idle_in_transaction_timeout_ms: PositiveInt = 5_000
    # How long it waits for a row that another holds, before it looks anew whose it is.
    lock_timeout_ms: PositiveInt = 5_000
    # Connections to Postgres: the loop, texts, policies, and one to spare.
    postgres_connections_max: PositiveInt = 4
    # A commit that takes longer is of unknown fate, and the partition is taken up again.
    postgres_within_seconds: PositiveInt = 15

    # The version of the read models that this projector writes: a schema of Postgres.
    fold_schema: Annotated[str, Field(pattern=r"^fold_v[0-9]+$")] = "fold_v1"

    # The batch in hand and the acks of its outcomes have so long at SIGTERM.
    grace_seconds: PositiveInt = 10
